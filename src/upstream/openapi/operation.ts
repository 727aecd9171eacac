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

/** The separator between the items of a list that is one value. */
export type Delimiter = "," | " " | "\t" | "|";

export interface OperationParameter {
  /** The name as the API spells it. */
  readonly name: string;
  /** The name of the tool's argument. */
  readonly argument: string;
  readonly place: ParameterPlace;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Separators of lists inside the list, outermost first. Only Swagger 2 has them. */
  readonly nested: readonly Delimiter[];
}

/** `lines`: one JSON value per line; `any`: decided by the value. */
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
  /**
   * The argument that is the body; null if the arguments that are not parameters are its
   * properties.
   */
  readonly argument: string | null;
  readonly required: boolean;
  readonly encoding: ReadonlyMap<string, FormEncoding>;
  /** Properties of a multipart body that are files: sent as files even if given as text. */
  readonly files: ReadonlySet<string>;
  /** Writes a value as XML by the schema; null for other kinds. */
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
  /** If not empty, the tool's value is `{body, headers}`. */
  readonly answerHeaders: readonly AnswerHeader[];
  /** The `Accept` header. */
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
