import type { JsonSchema } from "../../model/json.ts";

export type ParameterPlace = "path" | "query" | "header" | "cookie";

/** How a value is written. @see OpenAPI 3.1, "Style Values" */
export type ParameterStyle =
  | "simple"
  | "label"
  | "matrix"
  | "form"
  | "spaceDelimited"
  | "pipeDelimited"
  | "tabDelimited"
  | "deepObject"
  | "json";

export interface OperationParameter {
  /** As the API spells it. */
  readonly name: string;
  /** As the tool's argument is called. */
  readonly argument: string;
  readonly place: ParameterPlace;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
}

export type BodyKind = "json" | "form" | "multipart" | "text" | "binary";

/** How one property of a form is written. */
export interface FormEncoding {
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly contentType: string | null;
}

export interface OperationBody {
  readonly contentType: string;
  readonly kind: BodyKind;
  /** The argument that is the body; null when the arguments that no parameter takes are its properties. */
  readonly argument: string | null;
  readonly required: boolean;
  readonly encoding: ReadonlyMap<string, FormEncoding>;
  /** Properties of a multipart body that are files: sent as one also when they are given as text. */
  readonly files: ReadonlySet<string>;
}

/** One operation of an API: what the tool shows and how it is called. */
export interface Operation {
  /** The tool's name. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema | null;
  readonly parameters: readonly OperationParameter[];
  readonly body: OperationBody | null;
  /** What the answer is asked to be. */
  readonly accept: string;
  /** Base URL, without a slash at its end; null if the document does not say where the API is. */
  readonly baseUrl: string | null;
  /** Alternatives, each a list of security schemes that are needed together. */
  readonly security: readonly (readonly string[])[];
}

export interface SkippedOperation {
  readonly name: string;
  readonly reason: string;
}
