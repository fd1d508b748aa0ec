package dev.vigil.gdpr.request;

import java.util.List;
import tools.jackson.databind.JsonNode;

/// The page of an export that a person opens: what it holds, and how to check it. No script, nothing from elsewhere,
/// every value escaped.
final class IndexPage {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Your data</title>
            <style>
            body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
            table { border-collapse: collapse; width: 100%; }
            th, td { border-bottom: 1px solid #bbb; padding: .3em .5em; text-align: left; vertical-align: top; }
            pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
            </style>
            </head>
            <body>
            """;

    private IndexPage() {}

    static String of(Archive.Content content) {
        var page = new StringBuilder(HEAD);
        page.append("<h1>Data about ").append(escape(content.subject())).append("</h1>\n");
        page.append("<p>Request ")
                .append(escape(content.request()))
                .append(", collected ")
                .append(content.at())
                .append(
                        content.complete()
                                ? "."
                                : ". It was cut at its largest size; the manifest counts what is here.")
                .append("</p>\n");
        page.append("<p>To check that nothing was changed: <code>openssl dgst -sha256 -verify signing-key.pem"
                + " -signature manifest.json.sig manifest.json</code>, then compare each file with its SHA-256 in"
                + " manifest.json, and signing-key.pem with the key that the operator publishes.</p>\n");
        table(page, "Tasks", List.of("id", "name", "handler", "created_at", "payload"), content.tasks());
        table(page, "Executions", List.of("id", "task_id", "state", "started_at", "result"), content.executions());
        table(page, "Tokens", List.of("token", "kind", "value", "created_at"), content.tokens());
        table(
                page,
                "Account",
                List.of("id", "username", "role", "namespace", "created_at", "permissions", "api_keys", "sign_ins"),
                content.account());
        table(page, "Audit events", List.of("timestamp", "event_type", "action", "result"), content.events());
        return page.append("</body>\n</html>\n").toString();
    }

    private static void table(StringBuilder page, String title, List<String> columns, List<JsonNode> items) {
        page.append("<h2>").append(title).append(" (").append(items.size()).append(")</h2>\n<table>\n<tr>");
        columns.forEach(column -> page.append("<th>").append(column).append("</th>"));
        page.append("</tr>\n");
        for (JsonNode item : items) {
            page.append("<tr>");
            for (String column : columns) {
                JsonNode value = item.path(column);
                String text = value.isString() ? value.asString() : value.isContainer() ? value.toPrettyString() : "";
                page.append("<td><pre>").append(escape(text)).append("</pre></td>");
            }
            page.append("</tr>\n");
        }
        page.append("</table>\n");
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
