import process from "node:process";

// TypeScript looks at its surroundings when it loads: environment, files, working directory. The
// checker has permission for none of them. Whatever calls itself a browser is left alone.
Object.assign(process, { browser: true });
