import type { JsonSchema } from "../../model/json/json.ts";
import { type DemoOrder, type DemoRows, numbered } from "./demo_rows.ts";
import {
  ADDS,
  arrayOf,
  copyJson,
  date,
  type DemoTool,
  DemoToolError,
  DESTROYS,
  findRow,
  isWithin,
  LIMIT,
  matches,
  objectOf,
  READS,
  selectRows,
  text,
  WRITES,
} from "./demo_tool.ts";

const STATUS: JsonSchema = { type: "string", enum: ["open", "paid", "shipped", "cancelled"] };
const ID = text("Order id, such as ord-00042");
const LINE = objectOf({
  sku: text("Product, such as desk-oak"),
  quantity: { type: "integer", minimum: 1, maximum: 1_000 },
  price: { type: "number", minimum: 0, description: "Euros for one" },
});
const ORDER = objectOf({
  id: ID,
  customerId: text("Customer id"),
  date: date("Day of the order"),
  status: STATUS,
  currency: { type: "string", const: "EUR" },
  total: { type: "number", description: "Sum of the lines, in euros" },
  refunded: { type: "number", description: "Euros paid back so far" },
  lines: arrayOf(LINE),
  note: text("Free text"),
});

/** Orders of the made-up shop, from July 2025 to June 2026. */
export function ordersTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoOrder => findRow(rows.orders, "order", id);
  return [
    {
      name: "list",
      title: "List orders",
      description: "Lists orders by date, oldest first, filtered by date, status or customer.",
      inputSchema: objectOf({
        since: date("First day to include"),
        until: date("First day to leave out"),
        status: STATUS,
        customerId: text("Customer id"),
        limit: LIMIT,
      }, []),
      outputSchema: arrayOf(ORDER),
      annotations: READS,
      run: ({ since, until, status, customerId, limit }) =>
        selectRows(
          rows.orders,
          limit,
          (row) =>
            isWithin(row.date, since, until) && matches(status, row.status) &&
            matches(customerId, row.customerId),
        ),
    },
    {
      name: "get",
      title: "Get an order",
      description: "Returns one order by id.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: ORDER,
      annotations: READS,
      run: ({ id }) => copyJson(find(id)),
    },
    ...changingTools(rows),
  ];
}

function changingTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoOrder => findRow(rows.orders, "order", id);
  return [
    {
      name: "create",
      title: "Create an order",
      description: "Adds an open order for a customer.",
      inputSchema: objectOf({
        customerId: text("Customer id"),
        date: date("Day of the order"),
        lines: { type: "array", items: LINE, minItems: 1, maxItems: 100 },
      }),
      outputSchema: ORDER,
      annotations: ADDS,
      run: ({ customerId, date: day, lines }) => {
        const customer = findRow(rows.customers, "customer", customerId);
        const ordered = lines as DemoOrder["lines"];
        const total = ordered.reduce((sum, line) => sum + line.quantity * line.price, 0);
        const row: DemoOrder = {
          id: numbered("ord", rows.orders.size),
          customerId: customer.id,
          date: String(day),
          status: "open",
          currency: "EUR",
          total: Math.round(total * 100) / 100,
          refunded: 0,
          lines: structuredClone(ordered),
          note: "",
        };
        rows.orders.set(row.id, row);
        return copyJson(row);
      },
    },
    {
      name: "update",
      title: "Update an order",
      description: "Changes the status or note of an order.",
      inputSchema: objectOf(
        { id: ID, status: STATUS, note: { type: "string", maxLength: 1_000 } },
        [
          "id",
        ],
      ),
      outputSchema: ORDER,
      annotations: WRITES,
      run: ({ id, status, note }) => {
        const row = find(id);
        if (status !== undefined) row.status = status as DemoOrder["status"];
        if (typeof note === "string") row.note = note;
        return copyJson(row);
      },
    },
    ...irrevocableTools(rows),
  ];
}

function irrevocableTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoOrder => findRow(rows.orders, "order", id);
  return [
    {
      name: "refund",
      title: "Refund an order",
      description: "Pays back a part or all of an order to the customer. The money is gone.",
      inputSchema: objectOf({
        id: ID,
        amount: { type: "number", exclusiveMinimum: 0, description: "In euros" },
        reason: { type: "string", minLength: 1, maxLength: 500 },
      }),
      outputSchema: ORDER,
      annotations: ADDS,
      run: ({ id, amount }) => {
        const row = find(id);
        const left = Math.round((row.total - row.refunded) * 100) / 100;
        if (Number(amount) > left) {
          throw new DemoToolError(`Only ${left} EUR of order "${row.id}" are left to refund`);
        }
        row.refunded = Math.round((row.refunded + Number(amount)) * 100) / 100;
        return copyJson(row);
      },
    },
    {
      name: "delete",
      title: "Delete an order",
      description: "Deletes an order for ever.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: objectOf({ deleted: ID }),
      annotations: DESTROYS,
      run: ({ id }) => {
        const row = find(id);
        rows.orders.delete(row.id);
        return { deleted: row.id };
      },
    },
  ];
}
