import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { failureClass, kinesisError } from "../../../connectors/kinesis/errors.ts";

const failed = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error("Something."), {
    name,
    ...(httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } }),
  });

describe("failureClass()", () => {
  const cases = [
    ["ProvisionedThroughputExceededException", 400, "passing"],
    ["LimitExceededException", 400, "passing"],
    ["KMSThrottlingException", 400, "passing"],
    ["InternalFailureException", 500, "passing"],
    ["Whatever", 503, "passing"],
    ["Whatever", 429, "passing"],
    ["TimeoutError", undefined, "passing"],
    ["Error", undefined, "passing"],
    ["SyntaxError", 200, "passing"],
    ["ExpiredIteratorException", 400, "expired"],
    ["ExpiredNextTokenException", 400, "expired"],
    ["InvalidArgumentException", 400, "invalid"],
    ["ResourceNotFoundException", 400, "missing"],
    ["AccessDeniedException", 400, "fatal"],
    ["KMSDisabledException", 400, "fatal"],
    ["Whatever", 403, "fatal"],
    ["CredentialsProviderError", undefined, "fatal"],
    ["TypeError", undefined, "fatal"],
  ] as const;
  for (const [name, status, expected] of cases) {
    it(`takes ${name} with status ${status} for ${expected}`, () => {
      assertEquals(failureClass(failed(name, status)), expected);
    });
  }
});

describe("kinesisError()", () => {
  it("says the attempt, the cause and what to do, and keeps the cause", () => {
    const cause = failed("AccessDeniedException", 400);
    const { message, cause: kept } = kinesisError(`Cannot read stream "a"`, cause);
    assert(
      message.startsWith(`Cannot read stream "a": AccessDeniedException: Something; give the role`),
    );
    assertEquals(kept, cause);
  });
});
