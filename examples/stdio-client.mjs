// The main process of an Electron application, or any Node program, that lets `loopin stdio` care for its tokens:
// node stdio-client.mjs INTEGRATION
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const loopin = spawn(process.env.LOOPIN ?? "loopin", ["stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const open = new Map(); // id -> the request that waits for its answer
let lastId = 0;

createInterface({ input: loopin.stdout }).on("line", (line) => {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method) return open.get(params.id)?.hear?.(method, params);
  const request = open.get(id);
  open.delete(id);
  if (error) request?.reject(Object.assign(new Error(error.message), { code: error.data.code }));
  else request?.resolve(result);
});
loopin.on("exit", () => open.forEach(({ reject }) => reject(new Error("loopin ended"))));

/** Sends a request; `hear` gets what happens until its answer. */
function ask(method, params = {}, hear) {
  const id = ++lastId;
  loopin.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method, params }) + "\n");
  return new Promise((resolve, reject) => open.set(id, { resolve, reject, hear }));
}

const integration = process.argv[2];
await ask("initialize", { protocol: 1 });
const token = await ask("token", { integration }).catch(async (error) => {
  if (error.code !== "login_required") throw error;
  await ask("login", { integration, open: "client" }, (event, { url }) => {
    console.log(event, url ?? ""); // In Electron: if (url) shell.openExternal(url)
  });
  return ask("token", { integration });
});
console.log("a token until", token.expires_at);
await ask("shutdown");
