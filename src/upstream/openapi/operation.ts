import type { JsonSchema } from "../../model/json/json.ts";

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
  | "json"
  | "text";

/** What stands between the items of a list that is one value. */
export type Delimiter = "," | " " | "\t" | "|";

export interface OperationParameter {
  /** As the API spells it. */
  readonly name: string;
  /** As the tool's argument is called. */
  readonly argument: string;
  readonly place: ParameterPlace;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Of lists inside of the list, outermost first. Swagger 2 alone has them. */
  readonly nested: readonly Delimiter[];
}

/** `lines`: JSON values under one another; `any`: what the value itself says. */
export type BodyKind =
  | "json"
  | "form"
  | "multipart"
  | "lines"
  | "xml"
  | "csv"
  | "text"
  | "binary"
  | "any";

/** How one property of a form is written. */
export interface FormEncoding {
  /** Null where the content type decides. */
  readonly style: ParameterStyle | null;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  readonly contentType: string | null;
  readonly nested: readonly Delimiter[];
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
  /** Writes a value as XML, by its schema; null for other kinds. */
  readonly toXml: ((value: unknown) => string) | null;
}

/** A header of an answer that reaches the program. */
export interface AnswerHeader {
  /** As the document spells it. */
  readonly name: string;
  readonly type: "string" | "number" | "boolean";
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
  /** Not empty: the tool's value is `{body, headers}`. */
  readonly answerHeaders: readonly AnswerHeader[];
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
