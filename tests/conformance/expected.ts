/** What the conformance suite is expected to find, scenario by scenario. */

/** `pass`, `unchecked` if the suite had nothing to look at, or the checks that fail. */
export interface Expected {
  readonly [scenario: string]: "pass" | "unchecked" | readonly string[];
}

/**
 * Code mode, at `/mcp`: the scenarios that ask nothing of the tools. The checks that fail need tools of
 * the suite's own, which a server in code mode has not.
 */
export const CODE_SPACE: { readonly [revision: string]: Expected } = {
  "2026-07-28": {
    "caching": "pass",
    "dns-rebinding-protection": "pass",
    "http-header-validation": "pass",
    "input-required-result-unsupported-methods": "pass",
    "prompts-list": "pass",
    "resources-list": "pass",
    "sep-2164-resource-not-found": "pass",
    "server-sse-multiple-streams": "pass",
    "server-stateless": [
      "sep-2575-http-server-no-independent-requests-on-stream",
      "sep-2575-missing-capability-http-400",
      "sep-2575-server-no-log-without-loglevel",
      "sep-2575-server-rejects-undeclared-capability",
    ],
    "tools-list": "pass",
  },
  "2025-11-25": {
    "dns-rebinding-protection": "pass",
    "ping": "pass",
    "prompts-list": "pass",
    "resources-list": "pass",
    "server-initialize": "pass",
    "server-session-lifecycle": "pass",
    "server-sse-multiple-streams": "pass",
    "server-sse-polling": "unchecked",
    "tools-list": "pass",
  },
};

/**
 * One upstream, handed on as it is. What fails is what does not pass the gate:
 *
 * - `input-required-result-*`, `elicitation-*`, `tools-call-sampling|elicitation`, `server-stateless`:
 *   an upstream may not ask the caller's client or model for anything, so the gateway declares no such
 *   capability to it
 * - `tasks-*`: an extension that the gateway does not offer
 * - `completion-complete`, `resources-subscribe|unsubscribe`, `logging-set-level`,
 *   `tools-call-with-logging`: neither completions, subscriptions nor log messages of upstreams are
 *   handed on
 */
export const PASS_SPACE: { readonly [revision: string]: Expected } = {
  "2026-07-28": {
    "caching": "pass",
    "completion-complete": ["completion-complete"],
    "dns-rebinding-protection": "pass",
    "http-custom-header-server-validation": "pass",
    "http-header-validation": "pass",
    "input-required-result-basic-elicitation": ["sep-2322-elicitation-incomplete"],
    "input-required-result-basic-list-roots": ["sep-2322-list-roots-incomplete"],
    "input-required-result-basic-sampling": ["sep-2322-sampling-incomplete"],
    "input-required-result-capability-check": ["sep-2322-respect-client-capabilities"],
    "input-required-result-ignore-extra-params": "pass",
    "input-required-result-missing-input-response": "pass",
    "input-required-result-multi-round": ["sep-2322-multi-round-r1"],
    "input-required-result-multiple-input-requests": ["sep-2322-multiple-inputs-incomplete"],
    "input-required-result-non-tool-request": ["sep-2322-non-tool-incomplete"],
    "input-required-result-request-state": ["sep-2322-request-state-incomplete"],
    "input-required-result-result-type": ["sep-2322-result-type-included"],
    "input-required-result-tampered-state": ["sep-2322-reject-tampered-state"],
    "input-required-result-unsupported-methods": "pass",
    "input-required-result-validate-input": "pass",
    "json-schema-2020-12": "pass",
    "prompts-get-embedded-resource": "pass",
    "prompts-get-simple": "pass",
    "prompts-get-with-args": "pass",
    "prompts-get-with-image": "pass",
    "prompts-list": "pass",
    "resources-list": "pass",
    "resources-read-binary": "pass",
    "resources-read-text": "pass",
    "resources-templates-read": "pass",
    "sep-2164-resource-not-found": "pass",
    "server-sse-multiple-streams": "pass",
    "server-stateless": [
      "sep-2575-http-server-no-independent-requests-on-stream",
      "sep-2575-missing-capability-http-400",
      "sep-2575-server-rejects-undeclared-capability",
    ],
    "tasks-capability-negotiation": [
      "sep-2663-server-rejects-undeclared-client",
      "sep-2663-tasks-methods-non-declaring",
      "tasks-extension-advertised",
      "tasks-per-request-meta-opt-in",
    ],
    "tasks-dispatch-and-envelope": [
      "sep-2663-durable-create-strong-consistency",
      "sep-2663-legacy-task-param-ignored",
      "sep-2663-tasks-get-invalid-task-id-32602",
      "tasks-immediate-result-shortcut",
      "tasks-result-type-complete-on-non-task-responses",
      "tasks-server-directed-creation-no-hint",
    ],
    "tasks-lifecycle": [
      "sep-2663-cancel-ack-empty-result",
      "sep-2663-result-type-task-on-create",
      "sep-2663-tasks-get-status-completed",
      "sep-2663-tasks-get-status-failed",
      "sep-2663-tasks-get-status-working",
      "sep-2663-tool-error-uses-completed-status",
      "tasks-cancel-terminal-idempotent-ack",
      "tasks-sync-tool-call",
    ],
    "tasks-mrtr-composition": ["sep-2663-mrtr-synchronous-before-task-creation"],
    "tasks-mrtr-input": [
      "sep-2663-tasks-get-status-input-required",
      "tasks-mrtr-partial-fulfillment",
      "tasks-mrtr-tasks-update-resumes",
    ],
    "tasks-request-headers": [
      "sep-2663-routing-headers-accepted-on-tasks-get",
      "sep-2663-server-rejects-mismatched-mcp-name-on-tasks-get",
      "tasks-headers-tolerate-mcp-method-on-tools-call",
    ],
    "tasks-request-state-removal": ["tasks-request-state-removal-setup"],
    "tasks-required-task-error": ["sep-2663-server-returns-missing-capability-when-required"],
    "tasks-status-notifications": "unchecked",
    "tasks-wire-fields": [
      "tasks-no-early-ttl-expiry",
      "tasks-no-related-task-meta-on-inlined-result",
      "tasks-wire-field-renames",
    ],
    "tools-call-audio": "pass",
    "tools-call-embedded-resource": "pass",
    "tools-call-error": "pass",
    "tools-call-image": "pass",
    "tools-call-mixed-content": "pass",
    "tools-call-simple-text": "pass",
    "tools-call-with-progress": "pass",
    "tools-list": "pass",
  },
  "2025-11-25": {
    "completion-complete": ["completion-complete"],
    "dns-rebinding-protection": "pass",
    "elicitation-sep1034-defaults": ["elicitation-sep1034-general"],
    "elicitation-sep1330-enums": ["elicitation-sep1330-general"],
    "json-schema-2020-12": "pass",
    "logging-set-level": ["logging-set-level"],
    "ping": "pass",
    "prompts-get-embedded-resource": "pass",
    "prompts-get-simple": "pass",
    "prompts-get-with-args": "pass",
    "prompts-get-with-image": "pass",
    "prompts-list": "pass",
    "resources-list": "pass",
    "resources-read-binary": "pass",
    "resources-read-text": "pass",
    "resources-subscribe": ["resources-subscribe"],
    "resources-templates-read": "pass",
    "resources-unsubscribe": ["resources-unsubscribe"],
    "server-initialize": "pass",
    "server-session-lifecycle": "pass",
    "server-sse-multiple-streams": "pass",
    "server-sse-polling": "unchecked",
    "tools-call-audio": "pass",
    "tools-call-elicitation": ["tools-call-elicitation"],
    "tools-call-embedded-resource": "pass",
    "tools-call-error": "pass",
    "tools-call-image": "pass",
    "tools-call-mixed-content": "pass",
    "tools-call-sampling": ["tools-call-sampling"],
    "tools-call-simple-text": "pass",
    "tools-call-with-logging": ["tools-call-with-logging"],
    "tools-call-with-progress": "pass",
    "tools-list": "pass",
  },
};

/**
 * The upstream side, as the suite's client. Left out: `auth/*`, since an upstream's credentials are
 * configured and never asked for, and what asks for a person or a model.
 */
export const CLIENT_SCENARIOS = [
  "initialize",
  "tools_call",
  "request-metadata",
  "http-standard-headers",
  "http-custom-headers",
  "http-invalid-tool-headers",
  "json-schema-ref-no-deref",
  "json-schema-2020-12-preservation",
  "sse-retry",
] as const;
