/**
 * A process that opens S3 stores with no AWS settings in its environment, and says what comes of it, a line each. A process of
 * its own, since tests that run beside each other share one environment.
 *
 * @module
 */

import { s3Store } from "../../../runtime/checkpoint/s3_store.ts";
import { storeContext } from "./store_suite.ts";

for (const aws of [{}, { region: "eu-west-1" }]) {
  const opening = s3Store("s3://jobs").open(storeContext({ aws }));
  const said = await opening.then(
    () => "opened",
    (error: Error) => `${error.name}: ${error.message}`,
  );
  Deno.stdout.writeSync(new TextEncoder().encode(`${said.replaceAll("\n", " ")}\n`));
}
