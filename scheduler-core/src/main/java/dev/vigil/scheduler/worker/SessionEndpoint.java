package dev.vigil.scheduler.worker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import dev.vigil.protocol.id.Id;
import dev.vigil.protocol.id.Kind;
import dev.vigil.protocol.identity.Identity;
import dev.vigil.protocol.identity.SpiffeId;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.link.FrameHeader;
import dev.vigil.scheduler.execution.LinkEvents;
import dev.vigil.scheduler.execution.WorkerBoot;
import dev.vigil.scheduler.task.ShardHints.ShardHint;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/// The HTTPS port of a core: `POST /worker/v1/sessions` for workers, `POST /internal/v1/hints` for services, both
/// with client certificates.
final class SessionEndpoint implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionEndpoint.class);
    private static final int BODY_BYTES_MAX = 64 * 1024;
    private static final int HANDLERS_MAX = 1_024;
    private static final int PROTOCOL = 1;
    private static final int BACKLOG = 128;
    private static final JsonMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    static {
        // The JDK's server reads these once. Without them a peer may take for ever to send a request.
        System.getProperties().putIfAbsent("sun.net.httpserver.maxReqTime", "10");
        System.getProperties().putIfAbsent("sun.net.httpserver.idleInterval", "30");
        System.getProperties().putIfAbsent("jdk.httpserver.maxConnections", "4096");
    }

    private final WorkerLinkSettings settings;
    private final LinkContext context;
    private final Desk desk;
    private final HttpsServer server;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    /// What the port serves.
    ///
    /// @param reviewWorker looks again at a worker in the registry
    record Desk(Sessions sessions, int linkPort, LinkEvents engine, Consumer<UUID> reviewWorker) {}

    record SessionRequest(
            int protocol,
            UUID boot,
            int slots,
            @Nullable List<String> handlers,
            @Nullable String sandbox,
            @Nullable String limits,
            @Nullable String version) {}

    record SessionAnswer(
            String session,
            String secret,
            UUID incarnation,
            String carrier,
            String endpoint,
            int frameBytesMax,
            long heartbeatMs,
            String expiresAt) {
        @Override
        public String toString() {
            return "SessionAnswer[" + session + "]";
        }
    }

    /// What a service says has changed.
    ///
    /// @param shards  with a command
    /// @param created what was created, by shard
    /// @param workers that were blocked, drained or let in again
    record Hints(
            @Nullable List<Integer> shards,
            @Nullable List<Created> created,
            @Nullable List<String> workers) {}

    /// What was created in a shard.
    ///
    /// @param lanes     bit set
    /// @param due       when the first of it is due
    /// @param schedules whether schedules are among it; they may be when it is absent
    record Created(
            int shard,
            long lanes,
            @Nullable Instant due,
            @Nullable Boolean schedules) {}

    record Problem(String type, String title, int status, String code, String detail) {}

    SessionEndpoint(WorkerLinkSettings settings, SSLContext tls, LinkContext context, Desk desk) throws IOException {
        this.settings = settings;
        this.context = context;
        this.desk = desk;
        this.server = HttpsServer.create(new InetSocketAddress(settings.address(), settings.sessionsPort()), BACKLOG);
        server.setHttpsConfigurator(new HttpsConfigurator(tls) {
            @Override
            public void configure(HttpsParameters params) {
                SSLParameters parameters = TlsContexts.parameters();
                parameters.setNeedClientAuth(true);
                params.setSSLParameters(parameters);
            }
        });
        server.setExecutor(executor);
        server.createContext("/", guarded("", (exchange, caller) -> {}));
        server.createContext("/worker/v1/sessions", guarded("/worker/v1/sessions", this::session));
        server.createContext("/internal/v1/hints", guarded("/internal/v1/hints", this::hints));
    }

    void start() {
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// A refusal on its way to the answer.
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1;
        private final int status;
        private final String code;

        Refusal(int status, String code, String detail) {
            super(detail);
            this.status = status;
            this.code = code;
        }
    }

    private interface Served {
        void serve(HttpExchange exchange, X509Certificate caller) throws IOException, Refusal;
    }

    private HttpHandler guarded(String path, Served served) {
        return exchange -> {
            try {
                if (!exchange.getRequestURI().getPath().equals(path)) {
                    throw new Refusal(404, "not_found", "no such route");
                }
                if (!exchange.getRequestMethod().equals("POST")) {
                    exchange.getResponseHeaders().set("Allow", "POST");
                    throw new Refusal(405, "method_not_allowed", "use POST");
                }
                served.serve(exchange, caller(exchange));
            } catch (Refusal e) {
                refuse(exchange, e);
            } catch (RuntimeException e) {
                LOG.error("event=session_request_failed", e);
                refuse(exchange, new Refusal(500, "internal", "the core failed; its log says why"));
            } finally {
                exchange.close();
            }
        };
    }

    private X509Certificate caller(HttpExchange exchange) throws IOException, Refusal {
        var certificate =
                (X509Certificate) ((HttpsExchange) exchange).getSSLSession().getPeerCertificates()[0];
        if (!context.clock().instant().isBefore(certificate.getNotAfter().toInstant())) {
            throw new Refusal(401, "certificate_ended", "renew the certificate, then ask again");
        }
        return certificate;
    }

    private void session(HttpExchange exchange, X509Certificate certificate) throws IOException, Refusal {
        UUID worker = SpiffeId.of(certificate)
                .flatMap(SpiffeId::worker)
                .orElseThrow(() -> new Refusal(403, "not_a_worker", "sessions are for workers"));
        SessionRequest request = read(exchange, SessionRequest.class);
        check(request);
        switch (context.workers().admission(worker)) {
            case ADMITTED -> {}
            case REFUSED -> throw new Refusal(403, "worker_refused", "worker is blocked or not in the registry");
            case UNKNOWN -> throw new Refusal(503, "database_unavailable", "the registry cannot be read; ask again");
        }
        var applicant = new Sessions.Applicant(
                new WorkerBoot(worker, request.boot()),
                Identity.fingerprint(certificate),
                certificate.getNotAfter().toInstant());
        WorkerSession session = desk.sessions()
                .open(applicant, abilities(request))
                .orElseThrow(() -> new Refusal(429, "too_many_sessions", "use the sessions you have"));
        LOG.debug("event=session_opened worker={} boot={}", worker, request.boot());
        answer(exchange, 201, "application/json", JSON.writeValueAsBytes(answerOf(session)));
    }

    private SessionAnswer answerOf(WorkerSession session) {
        return new SessionAnswer(
                Long.toUnsignedString(session.terms().session()),
                Base64.getEncoder().encodeToString(session.secret()),
                desk.sessions().incarnation(),
                session.terms().carrier(),
                settings.endpoint(desk.linkPort()),
                FrameHeader.FRAME_BYTES_MAX,
                WorkerLinkSettings.HEARTBEAT.toMillis(),
                session.expiresAt().toString());
    }

    private static void check(SessionRequest request) throws Refusal {
        if (request.protocol() != PROTOCOL) {
            throw new Refusal(422, "protocol", "this core speaks protocol 1, not " + request.protocol());
        }
        List<String> handlers = request.handlers();
        boolean fits = request.boot() != null && request.slots() >= 0 && request.slots() <= 1_000;
        if (!fits || handlers == null || handlers.size() > HANDLERS_MAX || handlers.contains(null)) {
            throw new Refusal(
                    422, "validation_failed", "boot, slots (0 to 1000) and handlers (at most 1024) are required");
        }
    }

    private static WorkerSession.Abilities abilities(SessionRequest request) {
        List<String> handlers = request.handlers() == null ? List.of() : request.handlers();
        return new WorkerSession.Abilities(
                request.slots(),
                new HashSet<>(handlers),
                brief(request.sandbox()),
                brief(request.limits()),
                brief(request.version()));
    }

    private static String brief(@Nullable String text) {
        return text == null ? "" : text.substring(0, Math.min(64, text.length()));
    }

    private void hints(HttpExchange exchange, X509Certificate certificate) throws IOException, Refusal {
        boolean service = SpiffeId.of(certificate)
                .filter(id -> id.kind().equals(SpiffeId.SERVICE))
                .isPresent();
        if (!service) {
            throw new Refusal(403, "not_a_service", "hints are for services");
        }
        Hints hints = read(exchange, Hints.class);
        if (hints.shards() != null && !hints.shards().isEmpty()) {
            desk.engine()
                    .shardsHinted(
                            hints.shards().stream().map(ShardHint::command).toList());
        }
        if (hints.created() != null) {
            desk.engine()
                    .shardsHinted(hints.created().stream()
                            .flatMap(one -> Stream.ofNullable(one.due())
                                    .map(due -> new ShardHint(
                                            one.shard(),
                                            one.lanes(),
                                            due,
                                            !Boolean.FALSE.equals(one.schedules()),
                                            false)))
                            .toList());
        }
        if (hints.workers() != null) {
            hints.workers().stream()
                    .flatMap(text -> Id.parse(Kind.WORKER, text).stream())
                    .forEach(id -> desk.reviewWorker().accept(id.uuid()));
        }
        exchange.sendResponseHeaders(204, -1);
    }

    private static <T> T read(HttpExchange exchange, Class<T> type) throws IOException, Refusal {
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) {
            throw new Refusal(413, "too_large", "at most " + BODY_BYTES_MAX + " bytes");
        }
        try {
            return JSON.readValue(body, type);
        } catch (JacksonException e) {
            throw new Refusal(400, "unreadable", "the body is not the JSON that this route takes");
        }
    }

    private static void refuse(HttpExchange exchange, Refusal refusal) throws IOException {
        String detail = refusal.getMessage() == null ? "" : refusal.getMessage();
        var problem = new Problem("/problems/" + refusal.code, refusal.code, refusal.status, refusal.code, detail);
        answer(exchange, refusal.status, "application/problem+json", JSON.writeValueAsBytes(problem));
    }

    private static void answer(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
        executor.close();
    }
}
