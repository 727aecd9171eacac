import type { JsonSchema } from "../../model/json/json.ts";
import type { DemoInvoice, DemoRows } from "./demo_rows.ts";
import {
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

const STATUS: JsonSchema = { type: "string", enum: ["open", "sent", "paid", "void"] };
const ID = text("Invoice id, such as inv-00042");
const INVOICE = objectOf({
  id: ID,
  orderId: text("Order id"),
  customerId: text("Customer id"),
  date: date("Day of the invoice"),
  due: date("Day it is due"),
  amount: { type: "number", description: "In euros" },
  status: STATUS,
});

/** Invoices of the made-up shop: one for each order that was not cancelled. */
export function invoicesTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoInvoice => findRow(rows.invoices, "invoice", id);
  return [
    {
      name: "list",
      title: "List invoices",
      description: "Lists invoices by date, filtered by date, due date, status or customer.",
      inputSchema: objectOf({
        since: date("First day to include"),
        until: date("First day to leave out"),
        dueBefore: date("Only what is due before this day"),
        status: STATUS,
        customerId: text("Customer id"),
        limit: LIMIT,
      }, []),
      outputSchema: arrayOf(INVOICE),
      annotations: READS,
      run: ({ since, until, dueBefore, status, customerId, limit }) =>
        selectRows(
          rows.invoices,
          limit,
          (row) =>
            isWithin(row.date, since, until) && isWithin(row.due, undefined, dueBefore) &&
            matches(status, row.status) && matches(customerId, row.customerId),
        ),
    },
    {
      name: "get",
      title: "Get an invoice",
      description: "Returns one invoice by id.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: INVOICE,
      annotations: READS,
      run: ({ id }) => copyJson(find(id)),
    },
    ...changingTools(rows),
  ];
}

function changingTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoInvoice => findRow(rows.invoices, "invoice", id);
  return [
    {
      name: "send",
      title: "Send an invoice",
      description: "Sends an open invoice by e-mail and marks it as sent.",
      inputSchema: objectOf({
        id: ID,
        to: {
          type: "array",
          items: { type: "string", format: "email" },
          minItems: 1,
          maxItems: 20,
        },
      }),
      outputSchema: INVOICE,
      annotations: WRITES,
      run: ({ id }) => {
        const row = find(id);
        if (row.status === "void") throw new DemoToolError(`Invoice "${row.id}" is void`);
        if (row.status === "open") row.status = "sent";
        return copyJson(row);
      },
    },
    {
      name: "void",
      title: "Void an invoice",
      description: "Makes an invoice void. This cannot be undone.",
      inputSchema: objectOf({ id: ID, reason: { type: "string", minLength: 1, maxLength: 500 } }),
      outputSchema: INVOICE,
      annotations: DESTROYS,
      run: ({ id }) => {
        const row = find(id);
        if (row.status === "paid") throw new DemoToolError(`Invoice "${row.id}" is paid`);
        row.status = "void";
        return copyJson(row);
      },
    },
  ];
}
