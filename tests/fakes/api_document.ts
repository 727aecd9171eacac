/** The parts of an OpenAPI document that tests read. */

export interface DocumentSchema {
  readonly type?: string;
  readonly properties?: { readonly [name: string]: DocumentSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
  readonly [keyword: string]: unknown;
}

type Content = { readonly [mediaType: string]: { readonly schema?: DocumentSchema } };

export interface Operation {
  readonly description: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: "path" | "query" | "header";
    readonly required?: boolean;
    readonly schema: DocumentSchema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: { readonly [status: string]: { readonly content?: Content } };
}

export interface ApiDocument {
  readonly paths: {
    readonly [path: string]: { readonly [method in "get" | "post" | "delete"]?: Operation };
  };
}
