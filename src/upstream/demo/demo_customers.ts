import type { Json, JsonSchema } from "../../model/json/json.ts";
import type { DemoCustomer, DemoRows } from "./demo_rows.ts";
import {
  arrayOf,
  copyJson,
  date,
  type DemoTool,
  DemoToolError,
  DESTROYS,
  findRow,
  LIMIT,
  matches,
  objectOf,
  READS,
  selectRows,
  text,
  WRITES,
} from "./demo_tool.ts";

const SEGMENT: JsonSchema = { type: "string", enum: ["consumer", "business", "public"] };
const ID = text("Customer id, such as cus-00042");
const CUSTOMER = objectOf({
  id: ID,
  name: text("Full name"),
  email: { type: "string", format: "email" },
  country: text("ISO 3166 code of two letters"),
  segment: SEGMENT,
  since: date("When the customer was added"),
  note: text("Free text"),
});

/** People and companies that buy from the made-up shop. */
export function customersTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoCustomer => findRow(rows.customers, "customer", id);
  return [
    {
      name: "list",
      title: "List customers",
      description: "Lists customers, filtered by country, segment or a part of the name or e-mail.",
      inputSchema: objectOf({
        country: text("ISO 3166 code of two letters"),
        segment: SEGMENT,
        query: text("Part of the name or e-mail address"),
        limit: LIMIT,
      }, []),
      outputSchema: arrayOf(CUSTOMER),
      annotations: READS,
      run: ({ country, segment, query, limit }) =>
        selectRows(
          rows.customers,
          limit,
          (row) =>
            matches(country, row.country) && matches(segment, row.segment) &&
            (typeof query !== "string" ||
              `${row.name} ${row.email}`.toLowerCase().includes(query.toLowerCase())),
        ),
    },
    {
      name: "get",
      title: "Get a customer",
      description: "Returns one customer by id.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: CUSTOMER,
      annotations: READS,
      run: ({ id }) => copyJson(find(id)),
    },
    {
      name: "batchGet",
      title: "Get many customers",
      description: "Returns many customers at once as an object by id. Unknown ids are left out.",
      inputSchema: objectOf({ ids: { type: "array", items: ID, maxItems: 10_000 } }),
      outputSchema: { type: "object", additionalProperties: CUSTOMER },
      annotations: READS,
      run: ({ ids }) => {
        const found: { [id: string]: Json } = {};
        for (const id of ids as string[]) {
          const row = rows.customers.get(id);
          if (row !== undefined) found[id] = copyJson(row);
        }
        return found;
      },
    },
    ...changingTools(rows),
  ];
}

function changingTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoCustomer => findRow(rows.customers, "customer", id);
  return [
    {
      name: "update",
      title: "Update a customer",
      description: "Changes the e-mail address, segment or note of a customer.",
      inputSchema: objectOf({
        id: ID,
        email: { type: "string", format: "email" },
        segment: SEGMENT,
        note: { type: "string", maxLength: 1_000 },
      }, ["id"]),
      outputSchema: CUSTOMER,
      annotations: WRITES,
      run: ({ id, email, segment, note }) => {
        const row = find(id);
        if (typeof email === "string") row.email = email;
        if (segment !== undefined) row.segment = segment as DemoCustomer["segment"];
        if (typeof note === "string") row.note = note;
        return copyJson(row);
      },
    },
    {
      name: "delete",
      title: "Delete a customer",
      description: "Deletes a customer for ever. Fails while the customer has open orders.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: objectOf({ deleted: ID }),
      annotations: DESTROYS,
      run: ({ id }) => {
        const row = find(id);
        for (const order of rows.orders.values()) {
          if (order.customerId === row.id && order.status === "open") {
            throw new DemoToolError(`Customer "${row.id}" has the open order "${order.id}"`);
          }
        }
        rows.customers.delete(row.id);
        return { deleted: row.id };
      },
    },
  ];
}
