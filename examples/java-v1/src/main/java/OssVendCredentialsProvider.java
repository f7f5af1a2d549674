import com.amazonaws.SdkClientException;
import com.amazonaws.auth.AWSCredentials;
import com.amazonaws.auth.AWSCredentialsProvider;
import com.amazonaws.auth.BasicSessionCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Scanner;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Credentials from oss-vend, for as many clients and threads as you like. Concurrent callers share one request. The
 * credentials are renewed ten minutes before they end, and while that fails, those at hand are used to their end.
 */
public final class OssVendCredentialsProvider implements AWSCredentialsProvider {
  private static final long RENEW_NANOS = TimeUnit.MINUTES.toNanos(10);
  /** An upload must not start with credentials that end before it does. */
  private static final long LEAST_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final int TIMEOUT_MS = 10_000;

  private final URL url;
  private final String policy;
  private final JSONObject params;
  private final Callable<String> token;
  private final ReentrantLock oneRequest = new ReentrantLock();
  private volatile Held held;
  private volatile boolean refused;

  /**
   * @param service the address of oss-vend, such as https://vend.example.com
   * @param params the parameters of the policy, an empty object for a policy without any
   * @param token returns the user's current token; called for each request
   */
  public OssVendCredentialsProvider(URL service, String policy, JSONObject params, Callable<String> token)
      throws IOException {
    this.url = new URL(service, "/v1/credentials");
    this.policy = policy;
    this.params = params;
    this.token = token;
  }

  @Override
  public AWSCredentials getCredentials() {
    Held mine = held;
    if (mine != null && !mine.isDue()) return mine.credentials;
    boolean usable = mine != null && mine.leftNanos() > LEAST_NANOS;
    // One thread renews. The others go on with what they have, or wait if they have nothing.
    if (!usable) oneRequest.lock();
    else if (!oneRequest.tryLock()) return mine.credentials;
    try {
      Held now = held;
      if (now == null || now == mine) held = now = fetch();
      return now.credentials;
    } catch (SdkClientException error) {
      if (!usable) throw error;
      mine.retryAt = System.nanoTime() + RETRY_NANOS;
      return mine.credentials;
    } finally {
      oneRequest.unlock();
    }
  }

  /** Call it when the store says that the credentials are over: the next ones come from a new session. */
  @Override
  public void refresh() {
    refused = true;
    held = null;
  }

  private Held fetch() {
    try {
      long askedAt = System.nanoTime();
      JSONObject request = new JSONObject().put("policy", policy).put("params", params);
      if (refused) request.put("fresh", true);
      JSONObject credentials = new JSONObject(post(request)).getJSONObject("credentials");
      refused = false;
      return new Held(
          new BasicSessionCredentials(
              credentials.getString("accessKey"),
              credentials.getString("secretKey"),
              credentials.getString("sessionToken")),
          // Not `expiration`: the clock of the device may be wrong.
          askedAt + TimeUnit.SECONDS.toNanos(credentials.getLong("expiresInSeconds")));
    } catch (SdkClientException error) {
      throw error;
    } catch (Exception error) {
      throw new SdkClientException("Cannot fetch credentials from " + url + ": " + error.getMessage(), error);
    }
  }

  private String post(JSONObject request) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) url.openConnection();
    connection.setConnectTimeout(TIMEOUT_MS);
    connection.setReadTimeout(TIMEOUT_MS);
    connection.setInstanceFollowRedirects(false); // a redirect would carry the token elsewhere
    connection.setRequestProperty("Authorization", "Bearer " + token.call());
    connection.setRequestProperty("Content-Type", "application/json");
    connection.setDoOutput(true);
    try (OutputStream body = connection.getOutputStream()) {
      body.write(request.toString().getBytes(StandardCharsets.UTF_8));
    }
    int status = connection.getResponseCode();
    if (status == 200) return read(connection.getInputStream());
    throw new SdkClientException("oss-vend answers " + status + ": " + reason(read(connection.getErrorStream())));
  }

  /** Errors are problem documents (RFC 9457), unless a proxy answers in place of the service. */
  private static String reason(String answer) {
    try {
      JSONObject problem = new JSONObject(answer);
      return problem.getString("code")
          + ", "
          + problem.optString("detail", problem.getString("title"))
          + " (request "
          + problem.getString("requestId")
          + ")";
    } catch (JSONException error) {
      return "not a problem document";
    }
  }

  private static String read(InputStream stream) {
    if (stream == null) return "";
    try (Scanner scanner = new Scanner(stream, "UTF-8").useDelimiter("\\A")) {
      return scanner.hasNext() ? scanner.next() : "";
    }
  }

  private static final class Held {
    final AWSCredentials credentials;
    final long endsAt;
    volatile long retryAt;

    Held(AWSCredentials credentials, long endsAt) {
      this.credentials = credentials;
      this.endsAt = endsAt;
      this.retryAt = endsAt - RENEW_NANOS;
    }

    long leftNanos() {
      return endsAt - System.nanoTime();
    }

    boolean isDue() {
      return leftNanos() < LEAST_NANOS || System.nanoTime() - retryAt >= 0;
    }
  }
}
