import {
  ByteWriter,
  type ColumnSource,
  ParquetWriter,
  schemaFromColumnData,
} from "hyparquet-writer";
import type { AuditRecord } from "../../model/event.ts";
import { EXPORT_COLUMNS, type ExportColumn } from "./columns.ts";

/** Records of one row group; memory holds one group at a time. */
const GROUP_RECORDS = 10_000;

const TYPES = {
  text: "STRING",
  integer: "INT64",
  number: "DOUBLE",
  time: "TIMESTAMP",
} as const satisfies { [type in ExportColumn["type"]]: string };

/** A Parquet file of the flat columns, piece by piece. */
export async function* renderParquet(
  records: AsyncIterable<AuditRecord>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const writer = new ByteWriter();
  const schema = schemaFromColumnData({ columnData: columnsOf([]) });
  const parquet = new ParquetWriter({ writer, schema, createdBy: "toolgate" });
  let group: AuditRecord[] = [];
  for await (const record of records) {
    group.push(record);
    if (group.length < GROUP_RECORDS) continue;
    await parquet.write({ columnData: columnsOf(group), rowGroupSize: GROUP_RECORDS });
    group = [];
    yield take(writer);
  }
  if (group.length > 0) await parquet.write({ columnData: columnsOf(group) });
  await parquet.finish();
  yield take(writer);
}

/** The bytes written since the last call; the writer's `offset` still counts the whole file. */
function take(writer: ByteWriter): Uint8Array<ArrayBuffer> {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}

function columnsOf(records: readonly AuditRecord[]): ColumnSource[] {
  return EXPORT_COLUMNS.map(({ name, type, read }) => ({
    name,
    type: TYPES[type],
    nullable: true,
    data: records.map((record) => {
      const value = read(record);
      if (value === null) return null;
      if (type === "time") return new Date(value);
      return type === "integer" ? BigInt(value) : value;
    }),
  }));
}
