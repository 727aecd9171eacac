import { FRAME_HEADER_BYTES } from "./protocol.ts";

/** One frame. `payload` is only valid until the next `push`. */
export interface Frame {
  readonly type: number;
  readonly stamp: number;
  readonly payload: Uint8Array;
}

/** Makes one frame. */
export function encodeFrame(
  type: number,
  stamp: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint8(4, type);
  view.setUint32(5, stamp >>> 0, true);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a stream of bytes into frames; holds at most one unfinished frame. */
export interface FrameReader {
  /**
   * Takes the next bytes and passes every complete frame to `onFrame`.
   *
   * @returns false if a frame is longer than the reader allows; the stream is then useless.
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): boolean;
}

/** @param payloadBytesMax The longest payload the receiver accepts. */
export function createFrameReader(payloadBytesMax: () => number): FrameReader {
  let buffer = new Uint8Array(65_536);
  let have = 0;
  return {
    push(bytes, onFrame) {
      let source = bytes;
      if (have > 0) {
        buffer = grown(buffer, have, have + bytes.length);
        buffer.set(bytes, have);
        have += bytes.length;
        source = buffer.subarray(0, have);
      }
      let offset = 0;
      while (source.length - offset >= FRAME_HEADER_BYTES) {
        const view = new DataView(source.buffer, source.byteOffset + offset, FRAME_HEADER_BYTES);
        const length = view.getUint32(0, true);
        if (length > payloadBytesMax()) return false;
        const end = offset + FRAME_HEADER_BYTES + length;
        if (end > source.length) break;
        onFrame({
          type: view.getUint8(4),
          stamp: view.getUint32(5, true),
          payload: source.subarray(offset + FRAME_HEADER_BYTES, end),
        });
        offset = end;
      }
      const rest = source.length - offset;
      if (have > 0) {
        if (offset > 0) buffer.copyWithin(0, offset, have);
      } else if (rest > 0) {
        buffer = grown(buffer, 0, rest);
        buffer.set(source.subarray(offset));
      }
      have = rest;
      // The stream must not keep the memory of a large message until it ends.
      if (rest === 0 && buffer.length > 4_194_304) buffer = new Uint8Array(65_536);
      return true;
    },
  };
}

function grown(
  buffer: Uint8Array<ArrayBuffer>,
  used: number,
  wanted: number,
): Uint8Array<ArrayBuffer> {
  if (wanted <= buffer.length) return buffer;
  const larger = new Uint8Array(Math.max(wanted, buffer.length * 2));
  larger.set(buffer.subarray(0, used));
  return larger;
}
