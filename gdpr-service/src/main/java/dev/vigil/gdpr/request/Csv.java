package dev.vigil.gdpr.request;

import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// JSON objects as a table (RFC 4180). A text that a spreadsheet would take for a formula is given a quote in front.
final class Csv {
    private static final String FORMULA = "=+-@\t\r";

    private Csv() {}

    /// One line per item, one column per member; what is no text or number is written as JSON.
    static byte[] of(List<String> columns, List<JsonNode> items) {
        var out = new StringBuilder(String.join(",", columns)).append("\r\n");
        for (JsonNode item : items) {
            for (int i = 0; i < columns.size(); i++) {
                out.append(i == 0 ? "" : ",").append(cell(item.path(columns.get(i))));
            }
            out.append("\r\n");
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String cell(JsonNode value) {
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (value.isNumber() || value.isBoolean()) {
            return value.toString();
        }
        String text = value.isString() ? value.asString() : value.toString();
        String harmless = !text.isEmpty() && FORMULA.indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
        return "\"" + harmless.replace("\"", "\"\"") + "\"";
    }
}
