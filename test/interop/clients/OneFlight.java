import java.net.URL;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.json.JSONObject;

/** Lets 16 threads ask one provider at the same moment, and then once more after the store refused the credentials. */
class OneFlight {
  public static void main(String[] args) throws Exception {
    var provider =
        new OssVendCredentialsProvider(new URL(args[0]), "user-files", new JSONObject(), () -> args[1]);
    Set<String> keys = ConcurrentHashMap.newKeySet();
    var start = new CountDownLatch(1);
    var threads = new Thread[16];
    for (int i = 0; i < threads.length; i++) {
      threads[i] =
          new Thread(
              () -> {
                try {
                  start.await();
                  keys.add(provider.getCredentials().getAWSAccessKeyId());
                } catch (InterruptedException error) {
                  throw new IllegalStateException(error);
                }
              });
      threads[i].start();
    }
    start.countDown();
    for (Thread thread : threads) thread.join();
    System.out.println(keys.size() + " for 16 threads");
    provider.refresh();
    keys.add(provider.getCredentials().getAWSAccessKeyId());
    System.out.println(keys.size() + " after a refusal");
  }
}
