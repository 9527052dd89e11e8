import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runDeno } from "../../cli/subprocess.ts";

const CASES = new URL("./control_socket_cases.ts", import.meta.url).pathname;

describe("the socket for commands, with the permissions of deno task start", () => {
  it("does what its cases say", async () => {
    const { code, stdout, stderr } = await runDeno([
      ...["test", "-P=start", "--no-prompt", "--no-lock", CASES],
    ]);
    assert(code === 0 && /ok \| 1 passed \(13 steps\)/.test(stdout), `${stdout}\n${stderr}`);
  });
});
