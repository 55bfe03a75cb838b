import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.net.URLEncoder;
import java.text.SimpleDateFormat;
import java.util.Base64;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

/** As a reporting service did it for years: Accept application/xml, dates read strictly, the file at the id with .csv behind it. */
public class Client {
  static String authorization;

  static String call(String url, String body) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
    connection.setRequestProperty("Authorization", authorization);
    connection.setRequestProperty("Accept", "application/xml");
    if (body == null) {
      connection.setRequestProperty("Content-Type", "application/xml");
    } else {
      connection.setDoOutput(true);
      connection.setRequestProperty("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");
      connection.getOutputStream().write(body.getBytes("UTF-8"));
    }
    int status = connection.getResponseCode();
    try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      String text = new String(in.readAllBytes(), "UTF-8");
      if (status >= 400) throw new RuntimeException(status + " " + text);
      return text;
    }
  }

  static Document parse(String xml) throws Exception {
    String plain = xml.replace("xmlns=\"http://www.w3.org/2005/Atom\"", "")
        .replace("xmlns=\"http://ws.constantcontact.com/ns/1.0/\"", "");
    return DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(new ByteArrayInputStream(plain.getBytes("UTF-8")));
  }

  static String value(Document document, String name) {
    return document.getElementsByTagName(name).item(0).getTextContent();
  }

  public static void main(String[] args) throws Exception {
    String base = args[0], user = args[1];
    authorization = "Basic " + Base64.getEncoder().encodeToString(("key%" + user + ":" + args[2]).getBytes("UTF-8"));
    String activities = base + "/ws/customers/" + user + "/activities";
    String list = URLEncoder.encode("http://api.constantcontact.com/ws/customers/" + user + "/lists/", "UTF-8");
    String data = "Email Address, First Name, Last Name\n\"java@example.com\",\"J\u00f6\",\"L, \"\"x\"\"\"\n";
    String[] bodies = {
      "activityType=ADD_CONTACTS&data=" + URLEncoder.encode(data, "UTF-8") + "&lists=" + list + "2",
      "activityType=SV_CLEAR_INT&lists=" + list + "5",
      "activityType=EXPORT_CONTACTS&fileType=CSV&exportOptDate=true&exportOptSource=true&exportListName=true"
          + "&sortBy=DATE_DESC&columns=EMAIL%20ADDRESS&columns=STATE&columns=POSTAL%20CODE&columns=CUSTOM%20FIELD%2015&listId="
          + list + "active",
    };
    for (String body : bodies) {
      Document created = parse(call(activities, body));
      String id = value(created, "id");
      String link = activities + id.substring(id.lastIndexOf('/'));
      Document entry = parse(call(link, null));
      for (int tries = 0; !value(entry, "Status").equals("COMPLETE"); tries++) {
        if (tries == 2000) System.exit(2);
        Thread.sleep(20);
        entry = parse(call(link, null));
      }
      SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
      for (String name : new String[] {"InsertTime", "RunStartTime", "RunFinishTime"}) format.parse(value(entry, name));
      System.out.println("ended " + value(entry, "Type") + " " + value(entry, "TransactionCount"));
      if (body.contains("EXPORT")) System.out.write(call(link + ".csv", null).getBytes("UTF-8"));
    }
    System.out.flush();
  }
}
