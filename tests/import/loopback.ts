/**
 * The project as somebody elsewhere gets it: from a URL, into a module cache that has never seen it. Packages of npm are
 * taken from the cache of this process, since what is tested is not npm.
 *
 * @module
 */

import { ROOT, runDeno } from "../cli/subprocess.ts";

/** This repository behind a URL of this machine, and a folder elsewhere to import it from. */
export class Loopback implements AsyncDisposable {
  /** `127.0.0.1:<port>`, as permission flags have it. */
  readonly host: string;
  /** A folder that belongs to no project: without `deno.json`, up to the root. */
  readonly folder: string;
  /** For processes: a module cache of their own. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Use {@linkcode Loopback.open}. */
  constructor(server: Deno.HttpServer<Deno.NetAddr>, folder: string, cache: string) {
    this.#server = server;
    this.host = `${server.addr.hostname}:${server.addr.port}`;
    this.folder = folder;
    this.env = { DENO_DIR: cache };
  }

  static async open(): Promise<Loopback> {
    const folder = await Deno.makeTempDir({ prefix: "penstock-" });
    const cache = `${folder}/cache`;
    await Deno.mkdir(cache);
    const { stdout } = await runDeno(["info", "--json"]);
    const { npmCache }: { readonly npmCache: string } = JSON.parse(stdout);
    await Deno.symlink(npmCache, `${cache}/npm`, { type: "dir" });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
    return new Loopback(server, folder, cache);
  }

  /** The URL of a file of the repository. */
  url(path: string): string {
    return `http://${this.host}/${path}`;
  }

  /** Writes a module of somebody else's; `MOD` in its text stands for the URL of `mod.ts`. */
  async module(name: string, text: string): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(path, text.replaceAll("MOD", this.url("mod.ts")));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  try {
    const body = await Deno.readFile(new URL(`.${pathname}`, ROOT));
    const type = pathname.endsWith(".ts") ? "application/typescript" : "application/octet-stream";
    return new Response(body, { headers: { "content-type": `${type}; charset=utf-8` } });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return new Response("Not found", { status: 404 });
  }
}
