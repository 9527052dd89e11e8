import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ParamsError, readParams } from "../../runtime/params.ts";
import { z } from "../deps.ts";

describe("readParams()", () => {
  it("gives each text as the JSON that it is, or as the text where the schema wants that", () => {
    const schema = z.object({
      limit: z.number(),
      dry: z.boolean(),
      tags: z.array(z.string()),
      name: z.string(),
      code: z.string(),
    });
    const texts = { limit: "5", dry: "true", tags: '["a"]', name: "orders", code: "007" };
    assertEquals(readParams("demo", schema, texts), {
      limit: 5,
      dry: true,
      tags: ["a"],
      name: "orders",
      code: "007",
    });
    assertEquals(readParams("demo", schema, { ...texts, code: "7", name: "null" })?.code, "7");
  });

  it("applies what the schema adds", () => {
    const schema = z.object({ limit: z.number().default(10) });
    assertEquals(readParams("demo", schema, {}), { limit: 10 });
  });

  it("names each parameter that can't be used, and how to give it", () => {
    const schema = z.object({ limit: z.number(), nested: z.object({ at: z.number() }) });
    const error = assertThrows(
      () => readParams("demo", schema, { limit: "many", nested: '{"at":"noon"}' }),
      ParamsError,
      'Cannot use the parameters of job "demo": limit: ',
    );
    assertEquals(
      /; nested: .*--param name=value or PENSTOCK_PARAM_name$/.test(error.message),
      true,
    );
    assertThrows(() => readParams("demo", schema, {}), ParamsError, "limit: ");
  });

  it("refuses parameters of a job that declares none", () => {
    assertEquals(readParams("demo", undefined, {}), undefined);
    assertThrows(
      () => readParams("demo", undefined, { a: "1", b: "2" }),
      ParamsError,
      'Cannot use parameters a, b of job "demo": the job declares none; give defineJob() a params schema',
    );
  });
});
