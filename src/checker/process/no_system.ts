import process from "node:process";

// When TypeScript loads, it reads its surroundings: environment, files, working directory. The
// checker has no permission for them. In a browser TypeScript does not read them.
Object.assign(process, { browser: true });
