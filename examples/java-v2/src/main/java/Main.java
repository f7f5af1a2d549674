import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.auth.credentials.ContainerCredentialsProvider;
import software.amazon.awssdk.core.async.AsyncRequestBody;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3BaseClientBuilder;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Uploads to JD Cloud OSS with credentials from oss-vend, which the SDK fetches and refreshes by itself: it reads
 * AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.
 */
public final class Main {
  private static final long PART = 5L << 20;
  private static final ContainerCredentialsProvider CREDENTIALS = ContainerCredentialsProvider.create();

  public static void main(String[] args) throws Exception {
    try (S3Client s3 = forOss(S3Client.builder()).build();
        S3AsyncClient inParts =
            forOss(S3AsyncClient.builder())
                .multipartEnabled(true)
                .multipartConfiguration(parts -> parts.thresholdInBytes(PART).minimumPartSizeInBytes(PART))
                .build()) {
      run(s3, inParts);
    } catch (SdkException | CompletionException | IllegalArgumentException error) {
      // The SDK's own message seldom says why; that of a cause does.
      for (Throwable cause = error; cause != null; cause = cause.getCause()) System.err.println(cause.getMessage());
      System.exit(1);
    }
  }

  /** Region and endpoint come from AWS_REGION and AWS_ENDPOINT_URL_S3. */
  private static <B extends S3BaseClientBuilder<B, ?>> B forOss(B builder) {
    return builder
        .credentialsProvider(CREDENTIALS)
        .forcePathStyle(true)
        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
        .serviceConfiguration(oss -> oss.chunkedEncodingEnabled(false));
  }

  private static void run(S3Client s3, S3AsyncClient inParts) throws Exception {
    String bucket = env("OSS_BUCKET");
    String folder = env("OSS_FOLDER");
    String foreign = env("OSS_FOREIGN_FOLDER");

    s3.putObject(put -> put.bucket(bucket).key(folder + "hello.txt"), RequestBody.fromString("hello"));
    System.out.println("uploaded " + folder + "hello.txt");

    byte[] film = new byte[12 << 20];
    new Random().nextBytes(film);
    String key = folder + "film.bin";
    inParts.putObject(put -> put.bucket(bucket).key(key), AsyncRequestBody.fromBytes(film)).join();
    System.out.println("uploaded " + key + " in parts");

    byte[] downloaded = s3.getObjectAsBytes(get -> get.bucket(bucket).key(key)).asByteArray();
    if (!Arrays.equals(downloaded, film)) throw SdkClientException.create(key + " has changed on its way");
    System.out.println("downloaded " + key);

    try {
      s3.putObject(put -> put.bucket(bucket).key(foreign + "hello.txt"), RequestBody.fromString("hello"));
      throw SdkClientException.create(foreign + "hello.txt should have been refused");
    } catch (S3Exception refusal) {
      System.out.println("refused " + foreign + "hello.txt: " + refusal.getMessage());
    }

    System.out.println("press Enter to upload again, an hour later if you like");
    System.in.read();
    s3.putObject(put -> put.bucket(bucket).key(folder + "again.txt"), RequestBody.fromString("hello again"));
    System.out.println("uploaded " + folder + "again.txt");
  }
  private static String env(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalArgumentException(name + " is not set");
    return value;
  }
}
