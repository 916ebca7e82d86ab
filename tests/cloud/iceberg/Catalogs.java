import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.iceberg.jdbc.JdbcCatalog;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

/**
 * Iceberg's own REST catalog, as its tests have it: any number of catalogs, each at a path and in an SQLite file of its own.
 * Arguments are the port, the folder of the files, and properties of the catalogs, names and values by turns.
 */
public class Catalogs extends HttpServlet {
  private final Map<String, Forward> catalogs = new ConcurrentHashMap<>();
  private final Map<String, String> properties = new HashMap<>();
  private String folder;

  /** RESTCatalogServlet's service is protected. */
  private static final class Forward extends RESTCatalogServlet {
    Forward(JdbcCatalog catalog) {
      super(new RESTCatalogAdapter(catalog));
    }

    void serve(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
      super.service(request, response);
    }
  }

  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
    String path = request.getRequestURI();
    int cut = path.indexOf('/', 1);
    if (cut < 0) {
      response.setStatus(204);
      return;
    }
    Forward catalog = catalogs.computeIfAbsent(path.substring(1, cut), name -> {
      Map<String, String> own = new HashMap<>(properties);
      own.put("uri", "jdbc:sqlite:" + folder + "/" + name + ".db?busy_timeout=20000&journal_mode=WAL&synchronous=NORMAL");
      JdbcCatalog made = new JdbcCatalog();
      made.initialize(name, own);
      return new Forward(made);
    });
    catalog.serve(new HttpServletRequestWrapper(request) {
      @Override
      public String getRequestURI() {
        return path.substring(cut);
      }
    }, response);
  }

  public static void main(String[] args) throws Exception {
    Catalogs catalogs = new Catalogs();
    catalogs.folder = args[1];
    for (int i = 2; i + 1 < args.length; i += 2) {
      catalogs.properties.put(args[i], args[i + 1]);
    }
    ServletContextHandler context = new ServletContextHandler();
    context.addServlet(new ServletHolder(catalogs), "/*");
    Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    server.setHandler(context);
    server.start();
    server.join();
  }
}
