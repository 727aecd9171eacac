import assert from "node:assert/strict";
import { z } from "zod";
import { objectOf } from "../../../src/http/api/answers/object_of.ts";

interface Person {
  readonly name: string;
  readonly age: number | null;
  readonly tags?: readonly string[];
}

const fields = {
  name: z.string(),
  age: z.int().nullable(),
  tags: z.array(z.string()).optional(),
};

Deno.test("objectOf() is the schema of a type, its optional fields included", () => {
  const schema: z.ZodType<Person> = objectOf<Person>(fields);
  assert.deepEqual(schema.parse({ name: "ada", age: null }), { name: "ada", age: null });
  assert.equal(schema.safeParse({ name: "ada" }).success, false);
  assert.deepEqual(z.toJSONSchema(schema).required, ["name", "age"]);
});

Deno.test("objectOf() does not compile with a field less, a field more, or one in another form", () => {
  const { name, age, tags } = fields;
  const schemas = [
    // @ts-expect-error age is missing
    objectOf<Person>({ name, tags }),
    // @ts-expect-error tags is missing, although a person may lack them
    objectOf<Person>({ name, age }),
    // @ts-expect-error a person has no mail
    objectOf<Person>({ name, age, tags, mail: z.string() }),
    // @ts-expect-error a name is never a number
    objectOf<Person>({ name: z.number(), age, tags }),
    // @ts-expect-error a name may not be left out
    objectOf<Person>({ name: z.string().optional(), age, tags }),
    // @ts-expect-error tags may be left out
    objectOf<Person>({ name, age, tags: z.array(z.string()) }),
  ];
  assert.equal(schemas.length, 6);
});
