import type { Config } from '../src/config/config.ts'
import type { App } from '../src/http/fastify.ts'
import { packageVersion } from '../src/lib/package-version.ts'
import { awsContainerCredentialsRoutes } from './aws-container-credentials.ts'
import { awsStsRoutes } from './aws-sts.ts'
import { credentialsRoutes } from './credentials.ts'
import { explainRoutes } from './explain.ts'
import { healthRoutes } from './health.ts'
import { openapiRoutes } from './openapi.ts'
import { policiesRoutes } from './policies.ts'
import { presignedPostsRoutes } from './presigned-posts.ts'
import { presignedUrlsRoutes } from './presigned-urls.ts'
import type { Services } from './services.ts'

/** Everything that callers reach. The ops listener has routes of its own. */
export async function registerRoutes(
  app: App,
  services: Services & Readonly<{ now: () => number }>,
  { docsEnabled, awsStsAtRoot, maxTokenBytes }: Pick<Config, 'docsEnabled' | 'awsStsAtRoot' | 'maxTokenBytes'>,
): Promise<void> {
  // First, so that it describes all others.
  if (docsEnabled) await openapiRoutes(app, packageVersion())
  credentialsRoutes(app, services)
  awsContainerCredentialsRoutes(app, services)
  await awsStsRoutes(app, services, { atRoot: awsStsAtRoot, maxTokenBytes })
  policiesRoutes(app, services)
  explainRoutes(app, services)
  presignedUrlsRoutes(app, services)
  presignedPostsRoutes(app, services)
  healthRoutes(app, services)
}
