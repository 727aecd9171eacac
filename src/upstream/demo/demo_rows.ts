import { createDemoRandom, type DemoRandom } from "./demo_random.ts";

export interface DemoCustomer {
  readonly id: string;
  name: string;
  email: string;
  country: string;
  segment: "consumer" | "business" | "public";
  readonly since: string;
  note: string;
}

export interface DemoOrder {
  readonly id: string;
  readonly customerId: string;
  /** ISO date. */
  readonly date: string;
  status: "open" | "paid" | "shipped" | "cancelled";
  readonly currency: "EUR";
  /** In euros, two decimals. */
  readonly total: number;
  refunded: number;
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly price: number;
  }[];
  note: string;
}

export interface DemoInvoice {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly date: string;
  readonly due: string;
  readonly amount: number;
  status: "open" | "sent" | "paid" | "void";
}

export interface DemoEvent {
  readonly id: string;
  title: string;
  /** ISO date and time, UTC. */
  start: string;
  end: string;
  attendees: readonly string[];
  place: string;
}

/** The made-up company: one copy per service, changed by the tools that write. */
export interface DemoRows {
  readonly customers: Map<string, DemoCustomer>;
  readonly orders: Map<string, DemoOrder>;
  readonly invoices: Map<string, DemoInvoice>;
  readonly events: Map<string, DemoEvent>;
}

const CUSTOMERS = 600;
const ORDERS = 4_000;
const EVENTS = 400;
const FIRST_DAY = Date.UTC(2025, 6, 1);
const LAST_DAY = Date.UTC(2026, 5, 30);
const DAY_MS = 86_400_000;

const GIVEN =
  "Ada Alan Barbara Claude Dennis Edsger Frances Grace Hedy Ivan Jean Katherine Ken Leslie Linus Margaret Niklaus Radia Shafi Tim"
    .split(" ");
const FAMILY =
  "Adler Bauer Costa Dubois Eriksen Fischer Garcia Hansen Ito Jansen Kowalski Larsen Moreau Novak Okafor Petrov Rossi Silva Tanaka Weber"
    .split(" ");
const COUNTRIES = ["AT", "DE", "DK", "ES", "FR", "IT", "NL", "PL", "PT", "SE"];
const PRODUCTS: readonly (readonly [string, number])[] = [
  ["cable-usb-c", 9.9],
  ["desk-lamp", 34.5],
  ["desk-oak", 389],
  ["chair-mesh", 219],
  ["headset-pro", 129],
  ["keyboard-quiet", 79],
  ["monitor-27", 289],
  ["mouse-wireless", 39],
  ["notebook-a5", 6.5],
  ["paper-500", 7.2],
];
const MEETINGS = [
  "Stand-up",
  "Planning",
  "Retrospective",
  "Customer call",
  "Interview",
  "Budget review",
  "Design review",
  "Lunch talk",
];
const PLACES = ["Room Ada", "Room Grace", "Video call", "Head office", "Customer site"];

/** Makes all rows. Takes a few milliseconds; the same rows every time. */
export function createDemoRows(): DemoRows {
  const random = createDemoRandom(20_260_401);
  const customers = byId(CUSTOMERS, (index) => customer(random, index));
  const customerIds = [...customers.keys()];
  const orders = byId(ORDERS, (index) => order(random, index, customerIds));
  const billed = [...orders.values()].filter(({ status }) => status !== "cancelled");
  const invoices = byId(billed.length, (index) => invoice(random, index, billed));
  const people = [...customers.values()].slice(0, 40).map(({ email }) => email);
  const events = byId(EVENTS, (index) => event(random, index, people));
  return { customers, orders, invoices, events };
}

function byId<T extends { readonly id: string }>(
  count: number,
  make: (index: number) => T,
): Map<string, T> {
  const rows = new Map<string, T>();
  for (let index = 0; index < count; index++) {
    const row = make(index);
    rows.set(row.id, row);
  }
  return rows;
}

function customer(random: DemoRandom, index: number): DemoCustomer {
  const given = random.pick(GIVEN);
  const family = random.pick(FAMILY);
  return {
    id: numbered("cus", index),
    name: `${given} ${family}`,
    email: `${given}.${family}.${index + 1}@example.com`.toLowerCase(),
    country: random.pick(COUNTRIES),
    segment: random.pick(["consumer", "consumer", "business", "public"] as const),
    since: isoDate(FIRST_DAY - random.between(0, 2_000) * DAY_MS),
    note: "",
  };
}

function order(random: DemoRandom, index: number, customerIds: readonly string[]): DemoOrder {
  const lines = Array.from({ length: random.between(1, 3) }, () => {
    const [sku, price] = random.pick(PRODUCTS);
    return { sku, quantity: random.between(1, 4), price };
  });
  const total = lines.reduce((sum, line) => sum + line.quantity * line.price, 0);
  // Order ids grow with the order's date, as in a real shop.
  const day = FIRST_DAY +
    Math.floor(((LAST_DAY - FIRST_DAY) / DAY_MS + 1) * (index / ORDERS)) * DAY_MS;
  return {
    id: numbered("ord", index),
    customerId: random.pick(customerIds),
    date: isoDate(day),
    status: random.pick(["open", "paid", "paid", "shipped", "shipped", "cancelled"] as const),
    currency: "EUR",
    total: Math.round(total * 100) / 100,
    refunded: 0,
    lines,
    note: "",
  };
}

function invoice(random: DemoRandom, index: number, billed: readonly DemoOrder[]): DemoInvoice {
  const of = billed[index];
  if (of === undefined) throw new RangeError("More invoices than orders");
  return {
    id: numbered("inv", index),
    orderId: of.id,
    customerId: of.customerId,
    date: of.date,
    due: isoDate(Date.parse(of.date) + 30 * DAY_MS),
    amount: of.total,
    status: of.status === "open" ? random.pick(["open", "sent"] as const) : "paid",
  };
}

function event(random: DemoRandom, index: number, people: readonly string[]): DemoEvent {
  const day = FIRST_DAY +
    Math.floor(((LAST_DAY - FIRST_DAY) / DAY_MS + 1) * (index / EVENTS)) * DAY_MS;
  const start = day + random.between(8, 16) * 3_600_000;
  return {
    id: numbered("evt", index),
    title: random.pick(MEETINGS),
    start: isoMinute(start),
    end: isoMinute(start + random.pick([30, 45, 60, 90]) * 60_000),
    attendees: [...new Set([random.pick(people), random.pick(people), random.pick(people)])],
    place: random.pick(PLACES),
  };
}

/** `ord-00042`: all ids have the same length, so that they sort. */
export function numbered(prefix: string, index: number): string {
  return `${prefix}-${String(index + 1).padStart(5, "0")}`;
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function isoMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}:00Z`;
}
