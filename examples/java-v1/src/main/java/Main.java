import com.amazonaws.AmazonClientException;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import com.amazonaws.services.s3.model.AmazonS3Exception;
import com.amazonaws.services.s3.model.ObjectMetadata;
import com.amazonaws.services.s3.model.S3Object;
import com.amazonaws.services.s3.transfer.TransferManager;
import com.amazonaws.services.s3.transfer.TransferManagerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.json.JSONObject;

/** Uploads to JD Cloud OSS with credentials from oss-vend. */
public final class Main {
  private static final long PART = 5L << 20;

  public static void main(String[] args) throws Exception {
    try {
      upload();
    } catch (AmazonClientException | IllegalArgumentException error) {
      System.err.println(error.getMessage());
      System.exit(1);
    }
  }

  private static void upload() throws Exception {
    Path tokenFile = Path.of(env("OSS_VEND_TOKEN_FILE"));
    var credentials =
        new OssVendCredentialsProvider(
            new URL(env("OSS_VEND_URL")),
            env("OSS_VEND_POLICY"),
            new JSONObject(),
            () -> Files.readString(tokenFile).strip());
    AmazonS3 s3 =
        AmazonS3ClientBuilder.standard()
            .withEndpointConfiguration(new EndpointConfiguration(env("AWS_ENDPOINT_URL_S3"), env("AWS_REGION")))
            .withPathStyleAccessEnabled(true)
            .withChunkedEncodingDisabled(true)
            .withCredentials(credentials)
            .build();
    TransferManager transfers =
        TransferManagerBuilder.standard()
            .withS3Client(s3)
            .withMultipartUploadThreshold(PART)
            .withMinimumUploadPartSize(PART)
            .build();
    try {
      run(s3, transfers);
    } finally {
      transfers.shutdownNow();
    }
  }

  private static void run(AmazonS3 s3, TransferManager transfers) throws IOException, InterruptedException {
    String bucket = env("OSS_BUCKET");
    String folder = env("OSS_FOLDER");
    String foreign = env("OSS_FOREIGN_FOLDER");

    s3.putObject(bucket, folder + "hello.txt", "hello");
    System.out.println("uploaded " + folder + "hello.txt");

    byte[] film = new byte[12 << 20];
    new Random().nextBytes(film);
    String key = folder + "film.bin";
    ObjectMetadata metadata = new ObjectMetadata();
    metadata.setContentLength(film.length);
    transfers.upload(bucket, key, new ByteArrayInputStream(film), metadata).waitForCompletion();
    System.out.println("uploaded " + key + " in parts");

    try (S3Object object = s3.getObject(bucket, key)) {
      if (!Arrays.equals(object.getObjectContent().readAllBytes(), film)) {
        throw new AmazonClientException(key + " has changed on its way");
      }
    }
    System.out.println("downloaded " + key);

    try {
      s3.putObject(bucket, foreign + "hello.txt", "hello");
      throw new AmazonClientException(foreign + "hello.txt should have been refused");
    } catch (AmazonS3Exception refusal) {
      System.out.println("refused " + foreign + "hello.txt: " + refusal.getMessage());
    }

    System.out.println("press Enter to upload again, an hour later if you like");
    System.in.read();
    s3.putObject(bucket, folder + "again.txt", "hello again");
    System.out.println("uploaded " + folder + "again.txt");
  }

  private static String env(String name) {
    String value = System.getenv(name);
    if (value == null) throw new IllegalArgumentException(name + " is not set");
    return value;
  }
}
