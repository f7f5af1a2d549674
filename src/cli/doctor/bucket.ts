import type { TargetConfig } from '../../config/targets.ts'
import type { FieldNames } from './assume-role.ts'
import { failed, type Line, type Outcome, passed } from './check.ts'
import { outboundWords } from './connection.ts'
import { type Answer, isRegion, type Store } from './s3.ts'

type Target = Pick<TargetConfig, 'oss' | 'sts'>

/** Whether the bucket exists, and lies in the configured region. The role need not be allowed to ask. */
export async function checkBucket(store: Store, { oss, sts }: Target, names: FieldNames): Promise<Outcome<true>> {
  const { bucket, region } = oss
  const answer = await store.location()
  if (!answer.ok && answer.code !== 'AccessDenied') return { lines: [bucketFault(answer, oss, names)] }
  if (!answer.ok) {
    // OSS compares the region in the signature before it looks at the bucket.
    const message = `${bucket} is there, and its store takes signatures for ${region}; the role may not ask where it lies`
    return { lines: [passed(message)], value: true }
  }
  const { value: told } = answer
  // Ceph and MinIO have names of their own in this place, and AWS has none for its first region.
  if (!told || sts.kind !== 'jdcloud') return { lines: [passed(`${bucket} is there`)], value: true }
  if (told === region) return { lines: [passed(`${bucket} is in ${region}`)], value: true }
  return { lines: [elsewhere(isRegion(told) ? told : undefined, oss, names)] }
}

/** Why a bucket could not be used, whatever it was asked. */
export function bucketFault(
  { code, region: told, unreached }: Extract<Answer, { ok: false }>,
  oss: TargetConfig['oss'],
  names: FieldNames,
): Line {
  const { bucket, endpoint } = oss
  if (unreached) {
    const { why, remedy, settings } = outboundWords(unreached)
    return failed(`${endpoint}: ${why}`, remedy, settings ?? names('endpoint'))
  }
  switch (code) {
    case 'NoSuchBucket': {
      const remedy = `create it, or correct its name or region; a bucket of another region is not found at ${endpoint}`
      return failed(`there is no bucket ${bucket}`, remedy, names('bucket', 'region'))
    }
    case 'PermanentRedirect':
    case 'TemporaryRedirect':
    case 'AuthorizationHeaderMalformed':
      return elsewhere(told, oss, names)
    case 'RequestTimeTooSkewed':
      return failed('OSS refuses the date of the signature', 'set the clock of this machine (NTP)')
    case 'InvalidAccessKeyId':
    case 'InvalidToken':
    case 'SignatureDoesNotMatch': {
      const remedy = 'check that STS and OSS belong to the same cloud and account'
      return failed(`OSS does not know the sessions of STS (${code})`, remedy, names('stsEndpoint', 'endpoint'))
    }
    default: {
      const remedy = 'run the doctor again; if it stays so, check who answers at this address'
      return failed(
        `${endpoint} gave no answer that says anything about the bucket (${code})`,
        remedy,
        names('endpoint'),
      )
    }
  }
}

function elsewhere(told: string | undefined, { bucket, region }: TargetConfig['oss'], names: FieldNames): Line {
  const remedy = `set the region of the bucket${told === undefined ? ', which the console shows' : `, ${told}`}, and the endpoint of that region`
  return failed(`${bucket} is not in ${region} but in ${told ?? 'another region'}`, remedy, names('region', 'endpoint'))
}
