import { type TargetConfig, type TargetField, targetSetting } from '../../config/targets.ts'
import type { AssumeRoleRequest, CredentialSource, Credentials } from '../../sts/credentials.ts'
import { failed, type Line } from './check.ts'
import { inTurn } from './in-turn.ts'
import { type Refusal, refusalOf } from './refusals.ts'

/** Credentials, or why there are none. */
export type Assumed = Readonly<
  { credentials: Credentials; refusal?: never } | { refusal: Refusal; credentials?: never }
>

/** Asks STS for a session. */
export type Assume = (request: AssumeRoleRequest) => Promise<Assumed>

/** STS's quota is for the callers of the service: the doctor makes two calls at a time, whatever there is to ask. */
const MOST_CALLS = 2

export function createAssume(source: CredentialSource): Assume {
  const turn = inTurn(MOST_CALLS)
  return (request) =>
    turn(() =>
      source.assumeRole(request).then(
        (credentials) => ({ credentials }),
        (error: unknown) => ({ refusal: refusalOf(error) }),
      ),
    )
}

/** Where the fields of a target are set. */
export const fieldNames =
  ({ name, sts: { kind } }: TargetConfig, fromFile: boolean) =>
  (...fields: readonly TargetField[]): readonly string[] =>
    fields
      .filter((field) => !(field === 'signHost' && kind !== 'jdcloud'))
      .map((field) => targetSetting(field, { name, kind, fromFile }))

export type FieldNames = ReturnType<typeof fieldNames>

/** A failed line about a refusal. */
export const refusedLine = ({ why, remedy, fields }: Refusal, names: FieldNames): Line =>
  failed(why, remedy, names(...fields))
