import type { SinkStatus } from "../../audit/ship/ship_line.ts";
import { formatCount, formatMs } from "../format.ts";
import { Hostile } from "./hostile.tsx";
import { TableFrame } from "./parts.tsx";

/** The sinks that records are shipped to: what waits, for how long, and why. */
export function ShippingView({ sinks }: { sinks: readonly SinkStatus[] }) {
  if (sinks.length === 0) return null;
  return (
    <section id="shipping" aria-label="Shipping">
      <TableFrame label="Shipping">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Shipped to</th>
              <th scope="col">Format</th>
              <th scope="col">State</th>
              <th scope="col" class="number">Waiting</th>
              <th scope="col" class="number">Oldest</th>
            </tr>
          </thead>
          <tbody>
            {sinks.map((sink) => (
              <tr>
                <td>
                  <Hostile text={sink.to} max={100} />
                </td>
                <td>{sink.format}</td>
                <td>
                  <State sink={sink} />
                </td>
                <td class="number">{formatCount(sink.behind)}</td>
                <td class="number">
                  {sink.oldestSeconds === null ? "–" : formatMs(sink.oldestSeconds * 1_000)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  );
}

function State({ sink: { error, failures, isLate, reduced } }: { sink: SinkStatus }) {
  const tone = error !== null || isLate ? "bad" : "good";
  const word = isLate ? "behind by more than the retention" : error === null ? "ok" : "failing";
  return (
    <>
      <span class={`badge tone-${tone}`}>{word}</span>
      {error === null ? null : (
        <span class="note">
          <Hostile text={error} max={300} />
          {failures === 1 ? "" : `, ${formatCount(failures)} times`}
        </span>
      )}
      {reduced === 0
        ? null
        : <span class="note">{formatCount(reduced)} records went without their texts</span>}
    </>
  );
}
