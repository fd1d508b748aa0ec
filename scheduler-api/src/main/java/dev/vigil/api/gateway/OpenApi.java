package dev.vigil.api.gateway;

import dev.vigil.api.web.Access;
import dev.vigil.api.web.Code;
import dev.vigil.api.web.Role;
import dev.vigil.api.web.Route;
import dev.vigil.api.web.Scope;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/// The OpenAPI 3.1 document, made from the table of routes: what is not served is not in it, and who may call what is
/// what the gate enforces. Schemas are in `openapi/*.yaml`, one file for each package.
final class OpenApi {
    private static final List<String> SCHEMA_FILES = List.of("web", "access", "task", "vault", "gateway");
    private static final String SCHEMA = "#/components/schemas/";

    /// What changes one version and no other.
    private static final Set<String> OF_A_VERSION =
            Set.of("deleteTask", "updateTask", "limitNamespace", "limitHandler");

    /// What the service behind takes a key for.
    private static final Set<String> KEYED_BEHIND = Set.of("createPrivacyRequest");

    private final String url;
    private final Map<String, Object> schemas = new TreeMap<>();

    /// @param url where the service is
    OpenApi(String url) {
        this.url = url;
        SCHEMA_FILES.forEach(name -> add(load(name)));
        schemas.put(
                "Code",
                Map.of(
                        "type",
                        "string",
                        "enum",
                        Arrays.stream(Code.values()).map(Code::label).toList()));
    }

    /// Adds the schemas of one file.
    ///
    /// @throws IllegalArgumentException when one is there already, or the file has it twice
    void add(InputStream file) {
        var options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        Map<String, Object> loaded;
        try (file) {
            loaded = new Yaml(new SafeConstructor(options)).load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (DuplicateKeyException e) {
            throw new IllegalArgumentException(
                    "a file of openapi/*.yaml has a name twice; keep one: " + e.getProblem(), e);
        }
        loaded.forEach((name, schema) -> {
            if (schemas.put(name, schema) != null) {
                throw new IllegalArgumentException(
                        "two files of openapi/*.yaml have the schema " + name + "; keep one");
            }
        });
    }

    /// The document of these routes; those of the worker port are another contract and left out.
    Map<String, Object> document(List<Route> routes) {
        Map<String, Map<String, Object>> paths = new LinkedHashMap<>();
        var tags = new TreeSet<String>();
        for (Route route : routes) {
            if (route.access() instanceof Access.Certificate || isWorkerPort(route)) {
                continue;
            }
            tags.add(route.operation().tag());
            paths.computeIfAbsent(route.template().replace("*}", "}"), path -> new LinkedHashMap<>())
                    .put(route.method().toLowerCase(Locale.ROOT), operation(route));
        }
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("openapi", "3.1.0");
        document.put("info", Map.of("title", "Vigil", "version", "1", "license", Map.of("name", "Apache-2.0")));
        document.put("servers", List.of(Map.of("url", url)));
        document.put("tags", tags.stream().map(tag -> Map.of("name", tag)).toList());
        document.put("paths", paths);
        Map<String, Object> components = components();
        var used = new TreeMap<String, Object>();
        collectSchemas(List.of(paths, components), used);
        components.put("schemas", used);
        document.put("components", components);
        return document;
    }

    /// The schemas that are referred to, directly or by another one: those of the worker port stay out.
    private void collectSchemas(@Nullable Object node, Map<String, Object> into) {
        switch (node) {
            case Map<?, ?> map -> {
                if (map.get("$ref") instanceof String reference && reference.startsWith(SCHEMA)) {
                    String name = reference.substring(SCHEMA.length());
                    Object schema = schemas.get(name);
                    if (schema != null && into.put(name, schema) == null) {
                        collectSchemas(schema, into);
                    }
                }
                map.values().forEach(value -> collectSchemas(value, into));
            }
            case Iterable<?> items -> items.forEach(item -> collectSchemas(item, into));
            case null, default -> {}
        }
    }

    private static boolean isWorkerPort(Route route) {
        return route.template().startsWith("/worker/") || route.template().startsWith("/internal/");
    }

    private Map<String, Object> components() {
        Map<String, Object> components = new LinkedHashMap<>();
        components.put(
                "responses",
                Map.of(
                        "Problem",
                        Map.of(
                                "description",
                                "What went wrong, as RFC 9457 has it",
                                "content",
                                Map.of("application/problem+json", Map.of("schema", reference("Problem"))))));
        Map<String, Object> scopes = new TreeMap<>();
        for (Scope scope : Scope.values()) {
            scopes.put(scope.label(), scope.label());
        }
        components.put(
                "securitySchemes",
                Map.of(
                        "bearer",
                        Map.of("type", "http", "scheme", "bearer", "bearerFormat", "JWT"),
                        "oauth2",
                        Map.of(
                                "type",
                                "oauth2",
                                "flows",
                                Map.of(
                                        "clientCredentials",
                                        Map.of("tokenUrl", url + "/oauth2/token", "scopes", scopes),
                                        "authorizationCode",
                                        Map.of(
                                                "authorizationUrl", url + "/oauth2/authorize",
                                                "tokenUrl", url + "/oauth2/token",
                                                "scopes", scopes)))));
        return components;
    }

    private Map<String, Object> operation(Route route) {
        Route.Operation described = route.operation();
        Map<String, Object> operation = new LinkedHashMap<>();
        operation.put("operationId", described.id());
        operation.put("tags", List.of(described.tag()));
        operation.put("summary", described.summary());
        if (route.access() instanceof Access.Bearer bearer) {
            Scope scope = bearer.scope();
            List<String> scopes = scope == null ? List.of() : List.of(scope.label());
            operation.put("security", List.of(Map.of("bearer", List.of()), Map.of("oauth2", scopes)));
            operation.put("x-roles", bearer.roles().stream().map(Role::label).toList());
        } else {
            operation.put("security", List.of());
        }
        List<Object> parameters = parameters(route);
        if (!parameters.isEmpty()) {
            operation.put("parameters", parameters);
        }
        String body = described.body();
        if (body != null) {
            operation.put(
                    "requestBody",
                    Map.of(
                            "required",
                            !isOptional(body),
                            "content",
                            Map.of(mediaType(body), Map.of("schema", reference(body)))));
        }
        operation.put("responses", responses(described, route.writing().dryRun() != Route.Means.NONE));
        return operation;
    }

    private static List<Object> parameters(Route route) {
        var parameters = new ArrayList<Object>();
        for (String name : route.variables()) {
            parameters.add(parameter(name, "path", true));
        }
        for (String name : route.operation().query()) {
            if (!name.equals("*")) {
                parameters.add(parameter(name, "query", false));
            }
        }
        if (route.writing().key() != Route.Means.NONE
                || KEYED_BEHIND.contains(route.operation().id())) {
            parameters.add(parameter("Idempotency-Key", "header", false));
        }
        if (OF_A_VERSION.contains(route.operation().id())) {
            parameters.add(parameter("If-Match", "header", true));
        }
        return parameters;
    }

    private static Map<String, Object> parameter(String name, String in, boolean required) {
        Map<String, Object> parameter = new LinkedHashMap<>();
        parameter.put("name", name);
        parameter.put("in", in);
        parameter.put("required", required);
        parameter.put(
                "schema",
                Map.of(
                        "type",
                        switch (name) {
                            case "limit", "n" -> "integer";
                            case "dry_run", "follow" -> "boolean";
                            default -> "string";
                        }));
        return parameter;
    }

    private Map<String, Object> responses(Route.Operation described, boolean dryRun) {
        Map<String, Object> responses = new LinkedHashMap<>();
        if (dryRun && !described.answers().containsKey(200)) {
            responses.put(
                    "200",
                    Map.of(
                            "description",
                            "What would be, with dry_run=true",
                            "content",
                            Map.of("application/json", Map.of("schema", reference("DryRun")))));
        }
        described.answers().forEach((status, schema) -> {
            Map<String, Object> response = new LinkedHashMap<>();
            response.put("description", described.summary());
            if (schema.contains("/")) {
                Map<String, Object> content = new LinkedHashMap<>();
                for (String type : schema.split(", ")) {
                    content.put(type, Map.of("schema", Map.of()));
                }
                response.put("content", content);
            } else if (!schema.isEmpty()) {
                response.put("content", Map.of("application/json", Map.of("schema", reference(schema))));
            }
            if (status == 201) {
                response.put(
                        "headers",
                        Map.of("Location", Map.of("schema", Map.of("type", "string", "format", "uri-reference"))));
            }
            responses.put(Integer.toString(status), response);
        });
        responses.put("default", Map.of("$ref", "#/components/responses/Problem"));
        return responses;
    }

    private Map<String, Object> reference(String schema) {
        if (!schemas.containsKey(schema)) {
            throw new IllegalStateException("no schema " + schema + " in openapi/*.yaml; add it, or correct its route");
        }
        return Map.of("$ref", SCHEMA + schema);
    }

    private boolean isOptional(String schema) {
        return schemas.get(schema) instanceof Map<?, ?> known && Boolean.TRUE.equals(known.get("x-optional"));
    }

    private String mediaType(String schema) {
        return schemas.get(schema) instanceof Map<?, ?> known && known.get("x-media-type") instanceof String type
                ? type
                : "application/json";
    }

    private static InputStream load(String name) {
        return Objects.requireNonNull(
                OpenApi.class.getResourceAsStream("/openapi/" + name + ".yaml"), () -> "no openapi/" + name + ".yaml");
    }
}
