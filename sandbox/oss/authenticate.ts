import type { World } from '../world.ts'
import { type Principal, sessionPrincipal, userPrincipal } from './access.ts'
import { type Claim, readClaim, readFormClaim } from './claim.ts'
import { OssError } from './errors.ts'
import type { OssRequest } from './request.ts'
import { isFormSignedWith, isSignedWith } from './signature.ts'

const MAX_SKEW_MS = 15 * 60_000

type Keys = Readonly<{ secretKey: string; principal: Principal; expired: boolean }>

/**
 * Finds the owner of the keys that signed a request. Checks after the signature, such as expiry, reveal nothing to a
 * client with a wrong signature.
 *
 * @throws OssError if keys, token, signature or date are wrong
 */
export function authenticate(world: World, request: OssRequest): Principal {
  const claim = readClaim(request, world.region)
  const keys = findKeys(world, claim)
  if (!isSignedWith(keys.secretKey, request, claim)) throw new OssError('SignatureDoesNotMatch')
  if (keys.expired) throw new OssError('ExpiredToken')

  const age = world.clock() - claim.signedAt
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(age) > MAX_SKEW_MS) throw new OssError('RequestTimeTooSkewed')
  } else {
    if (age < -MAX_SKEW_MS) throw new OssError('AccessDenied', 'Request is not yet valid')
    if (age >= claim.expiresSeconds * 1000) throw new OssError('AccessDenied', 'Request has expired')
  }

  // Otherwise anyone with a presigned URL could turn it into another operation, such as a copy.
  for (const name of request.wire.headers.keys()) {
    if (name.startsWith('x-amz-') && !claim.signedHeaders.has(name)) {
      throw new OssError('AccessDenied', 'There were headers present in the request which were not signed')
    }
  }
  return keys.principal
}

/**
 * Finds the owner of the keys that signed a form, by its fields. The form's policy says when the form expires.
 *
 * @throws OssError as {@link authenticate}
 */
export function authenticateForm(world: World, fields: ReadonlyMap<string, string>): Principal {
  const policy = fields.get('policy')
  if (policy === undefined) throw new OssError('AccessDenied')
  const claim = readFormClaim(fields, world.region)
  const keys = findKeys(world, claim)
  if (!isFormSignedWith(keys.secretKey, policy, claim)) throw new OssError('SignatureDoesNotMatch')
  if (keys.expired) throw new OssError('ExpiredToken')
  return keys.principal
}

/** JD Cloud does not document its answer to a bad token. The codes and the status 400 are AWS's; Ceph answers 403. */
function findKeys({ users, sessions }: World, { accessKey, sessionToken }: Claim): Keys {
  const user = users.get(accessKey)
  if (user) {
    if (sessionToken !== undefined) throw new OssError('InvalidToken')
    return { secretKey: user.secretKey, principal: userPrincipal(user), expired: false }
  }
  if (sessionToken === undefined) throw new OssError('InvalidAccessKeyId')
  const found = sessions.lookup(accessKey, sessionToken)
  if (!('session' in found)) throw new OssError(found.status === 'unknown' ? 'InvalidAccessKeyId' : 'InvalidToken')
  const { session } = found
  return { secretKey: session.secretKey, principal: sessionPrincipal(session), expired: found.status === 'expired' }
}
