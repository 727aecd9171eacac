import type { ApiKey, ApiKeyRequest, ApiKeys } from "../auth/api_keys.ts";
import { GateError } from "../model/errors.ts";
import type { Principal } from "../model/principal.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import { recordAdmin, type RecordAdminDeps } from "./record_admin.ts";

export interface KeyDeps extends RecordAdminDeps {
  readonly keys: Pick<ApiKeys, "create" | "list" | "revoke">;
  readonly policy: RecordAdminDeps["policy"] & Pick<ActivePolicy, "keyNotes">;
}

export interface CreatedKey extends ApiKey {
  /** The secret, which only this answer contains. */
  readonly key: string;
  /** Warnings about settings of the key that the policy in force does not know. */
  readonly notes: readonly string[];
}

/** Makes an API key. Does not return the secret unless the audit record is written. */
export async function createKey(
  deps: KeyDeps,
  principal: Principal,
  request: ApiKeyRequest,
): Promise<CreatedKey> {
  const key = await deps.keys.create(request);
  await recordAdmin(deps, principal, "keys.create", { id: key.id, name: key.name });
  return { ...key, notes: deps.policy.keyNotes(key) };
}

/** Every key, without its secret. */
export async function listKeys(
  deps: { readonly keys: Pick<ApiKeys, "list"> },
): Promise<readonly ApiKey[]> {
  return await deps.keys.list();
}

export interface RevokedKey {
  readonly id: string;
  readonly revoked: true;
}

/** @throws {GateError} `ERR_NOT_FOUND`: there is no such key, and nothing is recorded. */
export async function revokeKey(
  deps: Omit<KeyDeps, "policy"> & RecordAdminDeps,
  principal: Principal,
  id: string,
): Promise<RevokedKey> {
  if (!await deps.keys.revoke(id)) {
    throw new GateError("ERR_NOT_FOUND", `There is no API key "${id.slice(0, 100)}"`, {
      hint: 'See "toolgate keys list"',
    });
  }
  await recordAdmin(deps, principal, "keys.revoke", { id });
  return { id, revoked: true };
}
