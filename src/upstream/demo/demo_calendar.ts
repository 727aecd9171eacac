import type { JsonSchema } from "../../model/json/json.ts";
import { type DemoEvent, type DemoRows, numbered } from "./demo_rows.ts";
import {
  ADDS,
  arrayOf,
  copyJson,
  type DemoTool,
  DemoToolError,
  DESTROYS,
  findRow,
  isWithin,
  LIMIT,
  objectOf,
  READS,
  selectRows,
  text,
  WRITES,
} from "./demo_tool.ts";

const ID = text("Event id, such as evt-00042");
const TIME: JsonSchema = {
  type: "string",
  pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$",
  description: "UTC, such as 2026-04-01T09:00:00Z",
};
const ATTENDEES: JsonSchema = {
  type: "array",
  items: { type: "string", format: "email" },
  maxItems: 100,
};
const EVENT = objectOf({
  id: ID,
  title: text("What it is about"),
  start: TIME,
  end: TIME,
  attendees: ATTENDEES,
  place: text("Where it is"),
});

/** The calendar of the made-up shop. */
export function calendarTools(rows: DemoRows): readonly DemoTool[] {
  return [
    {
      name: "listEvents",
      title: "List calendar events",
      description: "Lists events by start, filtered by time or attendee.",
      inputSchema: objectOf({
        from: text("First day or time to include"),
        to: text("First day or time to leave out"),
        attendee: text("E-mail address of somebody who attends"),
        limit: LIMIT,
      }, []),
      outputSchema: arrayOf(EVENT),
      annotations: READS,
      run: ({ from, to, attendee, limit }) =>
        selectRows(rows.events, limit, (row) =>
          isWithin(row.start, from, to) &&
          (typeof attendee !== "string" || row.attendees.includes(attendee))),
    },
    ...changingTools(rows),
  ];
}

function changingTools(rows: DemoRows): readonly DemoTool[] {
  const find = (id: unknown): DemoEvent => findRow(rows.events, "event", id);
  return [
    {
      name: "createEvent",
      title: "Create a calendar event",
      description: "Adds an event and invites its attendees.",
      inputSchema: objectOf({
        title: { type: "string", minLength: 1, maxLength: 200 },
        start: TIME,
        end: TIME,
        attendees: ATTENDEES,
        place: text("Where it is"),
      }, ["title", "start", "end"]),
      outputSchema: EVENT,
      annotations: ADDS,
      run: ({ title, start, end, attendees, place }) => {
        if (String(end) <= String(start)) {
          throw new DemoToolError("The event ends before it starts");
        }
        const row: DemoEvent = {
          id: numbered("evt", rows.events.size),
          title: String(title),
          start: String(start),
          end: String(end),
          attendees: [...(attendees as string[] | undefined) ?? []],
          place: typeof place === "string" ? place : "",
        };
        rows.events.set(row.id, row);
        return copyJson(row);
      },
    },
    {
      name: "moveEvent",
      title: "Move a calendar event",
      description: "Gives an event another start and end.",
      inputSchema: objectOf({ id: ID, start: TIME, end: TIME }),
      outputSchema: EVENT,
      annotations: WRITES,
      run: ({ id, start, end }) => {
        const row = find(id);
        if (String(end) <= String(start)) {
          throw new DemoToolError("The event ends before it starts");
        }
        row.start = String(start);
        row.end = String(end);
        return copyJson(row);
      },
    },
    {
      name: "deleteEvent",
      title: "Delete a calendar event",
      description: "Deletes an event and tells its attendees.",
      inputSchema: objectOf({ id: ID }),
      outputSchema: objectOf({ deleted: ID }),
      annotations: DESTROYS,
      run: ({ id }) => {
        const row = find(id);
        rows.events.delete(row.id);
        return { deleted: row.id };
      },
    },
  ];
}
