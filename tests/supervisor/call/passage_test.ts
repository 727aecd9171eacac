/**
 * The steps of a call through the gate, each alone: one file per step in `steps/`. They run together, so
 * that the gate is loaded once.
 */
import "./steps/find_call_cases.ts";
import "./steps/check_call_cases.ts";
import "./steps/decide_call_cases.ts";
import "./steps/await_approval_cases.ts";
import "./steps/plan_call_cases.ts";
import "./steps/reserve_call_cases.ts";
import "./steps/held_quota_cases.ts";
import "./steps/intend_call_cases.ts";
import "./steps/send_call_cases.ts";
import "./steps/settle_call_cases.ts";
import "./steps/refuse_call_cases.ts";
