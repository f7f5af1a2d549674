import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { World } from '../world.ts'
import { isAllowed } from './access.ts'
import { authenticate } from './authenticate.ts'
import { checkBodyHeaders, contentLength, readBody, verifyBody } from './body.ts'
import { ACCOUNT_ROUTES, BUCKET_ROUTES } from './bucket-routes.ts'
import { verifyChecksum } from './checksums.ts'
import type { Context } from './context.ts'
import { actualCors, preflight } from './cors.ts'
import { OssError } from './errors.ts'
import { OBJECT_ROUTES } from './object-routes.ts'
import { isPostedForm, postObject } from './post-object.ts'
import { type OssRequest, parseRequest } from './request.ts'
import { errorResponse, type OssResponse, writeResponse } from './response.ts'
import { type Found, findRoute, type Route } from './route.ts'
import { createStore, type Store } from './store.ts'
import { checkSupported } from './supported-headers.ts'
import { MAX_XML_BYTES, parseXml } from './xml.ts'

/** Optional settings. */
export type OssOptions = Readonly<{
  /** Receives exceptions that are bugs of this code. The client reads only InternalError. */
  onInternalError?: (error: unknown) => void
}>

/** The OSS as a listener for `node:http`. */
export type OssHandler = RequestListener & {
  /** The contents, for seeds and tests: `handler.store.get('test-app')?.put('key', body)` needs no rights. */
  readonly store: Store
}

/**
 * JD Cloud's OSS in memory, over the users, sessions and buckets of a world. As a listener for `checkContinue` too, it
 * lets a client send its body only after the headers are authorised.
 */
export function createOssHandler(world: World, { onInternalError = () => undefined }: OssOptions = {}): OssHandler {
  const store = createStore(world.buckets, world.clock)

  async function answer(request: OssRequest, receive: () => Promise<Buffer>): Promise<OssResponse> {
    if (request.method === 'OPTIONS') return preflight(request, store.get(request.bucket ?? ''))
    if (isPostedForm(request)) {
      checkBodyHeaders(request.headers)
      return await postObject(world, store, request, receive)
    }
    const principal = authenticate(world, request)
    const found = findRoute(routesFor(request), request)
    const body = async () => {
      const bytes = await receive()
      verifyBody(bytes, request.headers)
      return bytes
    }
    const context: Context = {
      world,
      store,
      request,
      may: (operation, touched) => isAllowed(world, principal, operation, touched),
      readBody: body,
      async readXml(schema, checksumOf = 'document') {
        if (contentLength(request.headers) > MAX_XML_BYTES) throw new OssError('MaxMessageLengthExceeded')
        const document = await body()
        if (checksumOf === 'document') verifyChecksum(document, request.headers)
        return parseXml(document, schema)
      },
    }
    return await run(found, context, principal === 'owner')
  }

  async function listen(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const requestId = randomBytes(8).toString('hex').toUpperCase()
    const method = req.method ?? ''
    /** Whether the client waits for leave to send its body. */
    let mayContinue = req.headers.expect?.toLowerCase() === '100-continue'
    let cors = {}
    let response: OssResponse
    try {
      const request = parseRequest(req, world.buckets)
      cors = actualCors(request.headers, method, store.get(request.bucket ?? ''))
      response = await answer(request, async () => {
        if (mayContinue) {
          res.writeContinue()
          mayContinue = false
        }
        return await readBody(req)
      })
    } catch (error) {
      // A client that disconnected during its body needs no answer.
      if (req.errored) return
      if (!(error instanceof OssError)) onInternalError(error)
      const refusal = error instanceof OssError ? error : new OssError('InternalError')
      response = errorResponse(refusal, req.url?.split('?', 1)[0] ?? '', requestId)
    }
    writeResponse(res, method, {
      ...response,
      headers: { 'x-amz-request-id': requestId, ...cors, ...response.headers },
    })
  }

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    listen(req, res).catch((error) => {
      onInternalError(error)
      res.destroy()
    })
  }
  return Object.assign(listener, { store })
}

function routesFor({ bucket, key }: OssRequest): readonly Route[] {
  if (bucket === undefined) return ACCOUNT_ROUTES
  return key === '' ? BUCKET_ROUTES : OBJECT_ROUTES
}

/** Checks access before all else, so that a wrong folder looks like a wrong folder, whatever else is wrong. */
async function run({ route, isPartial }: Found, context: Context, isOwner: boolean): Promise<OssResponse> {
  const { request, may } = context
  const act = prepare(route, context)
  const touched = { bucket: request.bucket, ...(request.key !== '' && { key: request.key }) }
  if (route.access === 'owner' ? !isOwner : route.access !== 'each' && !may(route.access, touched)) {
    throw new OssError('AccessDenied')
  }
  if (isPartial) throw new OssError('NotImplemented')
  checkBodyHeaders(request.headers)
  checkSupported(request.headers)
  return await act()
}

function prepare(route: Route, context: Context): () => OssResponse | Promise<OssResponse> {
  if ('handleWithoutBucket' in route) return () => route.handleWithoutBucket(context)
  const bucket = context.store.get(context.request.bucket ?? '')
  if (!bucket) throw new OssError('NoSuchBucket')
  const { region, bucketRegion: Region } = context.world
  // JD Cloud documents no answer for a bucket of another region. This is that of S3.
  if (Region !== region) throw new OssError('PermanentRedirect', undefined, { Region })
  return () => route.handle({ ...context, bucket })
}
