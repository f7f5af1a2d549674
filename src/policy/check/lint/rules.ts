import { accountAction } from './account-action.ts'
import { actionLevel } from './action-level.ts'
import { ambiguousIssuer } from './ambiguous-issuer.ts'
import { ambiguousKey } from './ambiguous-key.ts'
import { cannotOtherBucket } from './cannot-other-bucket.ts'
import { claimNotRequired } from './claim-not-required.ts'
import { durationOverRole } from './duration-over-role.ts'
import { durationTooShort } from './duration-too-short.ts'
import { endsInVariable } from './ends-in-variable.ts'
import { forbiddenElement } from './forbidden-element.ts'
import { foreignResource } from './foreign-resource.ts'
import { ineffectiveElement } from './ineffective-element.ts'
import { listBucket } from './list-bucket.ts'
import { noAbort } from './no-abort.ts'
import { noAllow } from './no-allow.ts'
import { noCannot } from './no-cannot.ts'
import { noExamples } from './no-examples.ts'
import { openPrefix } from './open-prefix.ts'
import { paramWithoutOwner } from './param-without-owner.ts'
import { partialWildcard } from './partial-wildcard.ts'
import { patternBacktracks } from './pattern-backtracks.ts'
import { patternUnsafeCharacter } from './pattern-unsafe-character.ts'
import { policySize } from './policy-size.ts'
import { publicIssuer } from './public-issuer.ts'
import type { Rule } from './rule.ts'
import { sharedFolder } from './shared-folder.ts'
import { sharedWrite } from './shared-write.ts'
import { swallowedStatement } from './swallowed-statement.ts'
import { targetOfAnyIssuer } from './target-of-any-issuer.ts'
import { unknownAction } from './unknown-action.ts'
import { unknownIssuer } from './unknown-issuer.ts'
import { unsafeClaim } from './unsafe-claim.ts'
import { unusedParam } from './unused-param.ts'
import { userChosenClaim } from './user-chosen-claim.ts'
import { variableAsText } from './variable-as-text.ts'
import { variableBeforeWildcard } from './variable-before-wildcard.ts'
import { variableOutsideKey } from './variable-outside-key.ts'
import { variablesTouch } from './variables-touch.ts'
import { wholeBucket } from './whole-bucket.ts'
import { wildcardAction } from './wildcard-action.ts'
import { wildcardBeforeClaim } from './wildcard-before-claim.ts'
import { wildcardResource } from './wildcard-resource.ts'

/** Every rule that looks at one template; `createFolders` has the two that compare templates. */
export const RULES: readonly Rule[] = [
  foreignResource,
  wildcardResource,
  partialWildcard,
  wholeBucket,
  openPrefix,
  variableOutsideKey,
  variableAsText,
  ambiguousKey,
  variableBeforeWildcard,
  variablesTouch,
  wildcardBeforeClaim,
  endsInVariable,
  ambiguousIssuer,
  unknownIssuer,
  publicIssuer,
  targetOfAnyIssuer,
  userChosenClaim,
  sharedFolder,
  sharedWrite,
  paramWithoutOwner,
  claimNotRequired,
  unsafeClaim,
  wildcardAction,
  accountAction,
  unknownAction,
  actionLevel,
  listBucket,
  noAbort,
  ineffectiveElement,
  forbiddenElement,
  swallowedStatement,
  policySize,
  durationTooShort,
  durationOverRole,
  unusedParam,
  patternBacktracks,
  patternUnsafeCharacter,
  noAllow,
  noExamples,
  noCannot,
  cannotOtherBucket,
]
