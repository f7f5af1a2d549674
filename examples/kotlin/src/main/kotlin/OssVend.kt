import aws.smithy.kotlin.runtime.auth.awscredentials.CachedCredentialsProvider
import aws.smithy.kotlin.runtime.auth.awscredentials.Credentials
import aws.smithy.kotlin.runtime.auth.awscredentials.CredentialsProvider
import aws.smithy.kotlin.runtime.auth.awscredentials.CredentialsProviderException
import aws.smithy.kotlin.runtime.collections.Attributes
import aws.smithy.kotlin.runtime.time.Instant
import java.io.IOException
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.URL
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.json.JSONException
import org.json.JSONObject

/**
 * Credentials from oss-vend, for as many clients and coroutines as you like. They share one request, and the credentials
 * are renewed ten minutes before they end. [token] returns the user's current token.
 */
fun ossVendCredentials(
    service: String,
    policy: String,
    params: Map<String, String> = emptyMap(),
    token: suspend () -> String,
): CredentialsProvider =
    CachedCredentialsProvider(OssVend(service, policy, params, token), refreshBufferWindow = 10.minutes)

private class OssVend(
    service: String,
    policy: String,
    params: Map<String, String>,
    private val token: suspend () -> String,
) : CredentialsProvider {
    private val url = URL(URL(service), "/v1/credentials")
    private val request = JSONObject(mapOf("policy" to policy, "params" to params)).toString().toByteArray()

    override suspend fun resolve(attributes: Attributes): Credentials {
        val asked = Instant.now()
        val bearer = "Bearer ${token()}"
        val answer =
            try {
                withContext(Dispatchers.IO) { JSONObject(post(bearer)).getJSONObject("credentials") }
            } catch (error: IOException) {
                throw CredentialsProviderException("Cannot fetch credentials from $url: ${error.message}", error)
            } catch (error: JSONException) {
                throw CredentialsProviderException("oss-vend's answer is not understood: ${error.message}", error)
            }
        return Credentials(
            accessKeyId = answer.getString("accessKey"),
            secretAccessKey = answer.getString("secretKey"),
            sessionToken = answer.getString("sessionToken"),
            // By the clock of this device, right or wrong: the SDK compares it with that clock.
            expiration = asked + answer.getLong("expiresInSeconds").seconds,
            providerName = "oss-vend",
        )
    }

    private fun post(bearer: String): String {
        val connection = url.openConnection() as HttpURLConnection
        connection.connectTimeout = 10_000
        connection.readTimeout = 10_000
        connection.instanceFollowRedirects = false // a redirect would carry the token elsewhere
        connection.setRequestProperty("Authorization", bearer)
        connection.setRequestProperty("Content-Type", "application/json")
        connection.doOutput = true
        connection.outputStream.use { it.write(request) }
        val status = connection.responseCode
        if (status == 200) return connection.inputStream.text()
        throw CredentialsProviderException("oss-vend answers $status: ${reason(connection.errorStream?.text())}")
    }

    private fun InputStream.text() = bufferedReader().use { it.readText() }

    /** Errors are problem documents (RFC 9457), unless a proxy answers in place of the service. */
    private fun reason(answer: String?): String =
        try {
            JSONObject(answer.orEmpty()).run {
                "${getString("code")}, ${optString("detail", getString("title"))} (request ${getString("requestId")})"
            }
        } catch (_: JSONException) {
            "not a problem document"
        }
}
