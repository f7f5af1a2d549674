import type { World } from '../world.ts'
import { isAllowed } from './access.ts'
import { authenticateForm } from './authenticate.ts'
import { checkDigests, verifyBody } from './body.ts'
import { verifyChecksum } from './checksums.ts'
import { OssError } from './errors.ts'
import { readMetadata } from './metadata.ts'
import { encodePath } from './percent.ts'
import { type Form, readForm } from './post-form.ts'
import { checkPostPolicy } from './post-policy.ts'
import type { OssRequest } from './request.ts'
import { type OssResponse, xmlResponse } from './response.ts'
import type { Store, StoredObject } from './store.ts'
import { checkSupported } from './supported-headers.ts'
import { MAX_KEY_BYTES } from './target.ts'

/** Whether a request is a browser's form. A form has its signature inside. */
export function isPostedForm({ method, bucket, key, query, headers, auth }: OssRequest): boolean {
  const isForm = /^multipart\/form-data\b/iu.test(headers.get('content-type') ?? '')
  return method === 'POST' && bucket !== undefined && key === '' && query.size === 0 && auth === 'none' && isForm
}

/**
 * POST object. The policy in the form limits the upload, and its signer must be allowed to put the key.
 *
 * @throws OssError
 */
export async function postObject(
  world: World,
  store: Store,
  request: OssRequest,
  readBody: () => Promise<Buffer>,
): Promise<OssResponse> {
  const form = await readForm(request.headers.get('content-type') ?? '', await readBody())
  const { fields, file } = form
  const principal = authenticateForm(world, fields)
  const bucket = store.get(request.bucket ?? '')
  if (!bucket) throw new OssError('NoSuchBucket')
  const key = finalKey(form)
  if ((fields.get('bucket') ?? bucket.name) !== bucket.name) throw new OssError('AccessDenied')
  checkPostPolicy(fields.get('policy') ?? '', { fields, bucket: bucket.name, key, size: file.length }, world.clock())
  if (!isAllowed(world, principal, 'PostObject', { bucket: bucket.name, key })) throw new OssError('AccessDenied')

  // Forms name these fields without the x-amz- of headers.
  const asHeader = (name: string) => (name === 'acl' || name === 'tagging' ? `x-amz-${name}` : name)
  checkSupported(new Map([...fields].map(([name, value]) => [asHeader(name), value])))
  checkDigests(fields)
  verifyBody(file, fields)
  const checksum = verifyChecksum(file, fields)
  return answer(request, fields, bucket.name, bucket.put(key, file, readMetadata(fields), { checksum }))
}

/** The key with the file's name filled in. busboy has removed the folders from this name. */
function finalKey({ fields, filename }: Form): string {
  const key = fields.get('key')?.replaceAll('${filename}', () => filename)
  if (!key) throw new OssError('InvalidArgument', "Bucket POST must contain a field named 'key' before the file.")
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new OssError('KeyTooLongError')
  return key
}

function answer(
  { headers, scheme }: OssRequest,
  fields: ReadonlyMap<string, string>,
  bucket: string,
  { key, etag: hash }: StoredObject,
): OssResponse {
  const etag = `"${hash}"`
  const redirect = fields.get('success_action_redirect')
  if (redirect !== undefined && URL.canParse(redirect)) {
    const url = new URL(redirect)
    for (const [name, value] of Object.entries({ bucket, key, etag })) url.searchParams.set(name, value)
    if (/^https?:$/u.test(url.protocol)) return { status: 303, headers: { etag, location: url.href } }
  }
  const location = `${scheme}://${headers.get('host')}/${bucket}/${encodePath(key)}`
  switch (fields.get('success_action_status')) {
    case '200':
      return { status: 200, headers: { etag, location } }
    case '201': {
      const created = xmlResponse('PostResponse', { Location: location, Bucket: bucket, Key: key, ETag: etag })
      return { ...created, status: 201, headers: { ...created.headers, etag, location } }
    }
    default:
      return { status: 204, headers: { etag, location } }
  }
}
