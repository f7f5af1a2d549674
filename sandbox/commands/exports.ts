/** The facts about a running sandbox that the examples need. */
export type ExampleSettings = Readonly<{
  url: string
  httpsUrl: string
  ossUrl: string
  region: string
  caFile: string
  tokenFile: string
}>

/** Lines for a shell, after which any example runs as alice. examples/README.md describes the variables. */
export function exportLines({ url, httpsUrl, ossUrl, region, caFile, tokenFile }: ExampleSettings): string {
  const variables = {
    AWS_ENDPOINT_URL_S3: ossUrl,
    AWS_REGION: region,
    OSS_BUCKET: 'test-app',
    OSS_FOLDER: 'users/alice/',
    OSS_FOREIGN_FOLDER: 'users/bob/',
    OSS_VEND_URL: httpsUrl,
    OSS_VEND_POLICY: 'user-files',
    OSS_VEND_TOKEN_FILE: tokenFile,
    AWS_ENDPOINT_URL_STS: `${httpsUrl}/v1/aws/sts`,
    AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/user-files',
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    // Over http, because AWS CLI and boto3 trust public CAs alone here.
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/aws/container-credentials/user-files`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    AWS_CA_BUNDLE: caFile,
    NODE_EXTRA_CA_CERTS: caFile,
    SSL_CERT_FILE: caFile,
  }
  return [
    // SDKs look at these first.
    'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE',
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`),
  ].join('\n')
}

/** The path of a temporary directory may have any character. */
function quote(value: string): string {
  return /^[\w./:-]+$/u.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}
