package dev.vigil.audit;

import com.zaxxer.hikari.HikariDataSource;
import dev.vigil.audit.log.Outbox;
import dev.vigil.audit.log.Sequencer;
import dev.vigil.audit.log.SequencerSettings;
import dev.vigil.audit.log.SequencerSettings.Pace;
import dev.vigil.audit.query.AuditRoutes;
import dev.vigil.audit.query.AuditServlet;
import dev.vigil.audit.query.ReadTrail;
import dev.vigil.edge.EdgePort;
import dev.vigil.edge.KeyPairFile;
import dev.vigil.edge.KeyPairFile.Algorithm;
import dev.vigil.edge.TokenCheck;
import dev.vigil.protocol.health.HealthPort;
import dev.vigil.protocol.identity.IdentityException;
import dev.vigil.protocol.identity.IdentityKeeper;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.TlsContexts;
import dev.vigil.protocol.tree.NoteSigner;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// What the service is made of. Auto-configurations are listed, not searched for: beside this one other services live
/// on the same class path.
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({PropertyPlaceholderAutoConfiguration.class, LifecycleAutoConfiguration.class})
@EnableConfigurationProperties(AuditSettings.class)
class AuditConfiguration {
    private static final int CONNECT_SECONDS_MAX = 5;
    private static final int ANSWER_SECONDS_MAX = 20;

    @Bean
    InstantSource time() {
        return Clock.systemUTC();
    }

    @Bean
    NoteSigner signer(AuditSettings settings) {
        AuditSettings.Log log = settings.audit();
        return new NoteSigner(
                log.origin(),
                KeyPairFile.open(log.signingKeyFile(), Algorithm.ED25519, "vigil.audit", log.createSigningKey()));
    }

    /// The connections that answer requests. Migrates before anybody can ask for one.
    @Bean(destroyMethod = "close")
    HikariDataSource connections(AuditSettings settings) {
        AuditSettings.Database database = settings.databaseOrThrow();
        if (database.migration() != null) {
            AuditSchema.migrate(
                    database.url(),
                    database.migration().username(),
                    database.migration().password());
        }
        var pool = new HikariDataSource();
        pool.setPoolName("audit");
        pool.setJdbcUrl(database.url());
        pool.setDataSourceProperties(properties(database, "audit-service"));
        pool.setMaximumPoolSize(database.connections());
        pool.setMinimumIdle(1);
        pool.setConnectionTimeout(TimeUnit.SECONDS.toMillis(CONNECT_SECONDS_MAX));
        if (database.migration() == null) {
            requireSchema(pool);
        }
        return pool;
    }

    private static void requireSchema(HikariDataSource pool) {
        try {
            AuditSchema.require(JdbcClient.create(pool));
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    @Bean
    JdbcClient db(HikariDataSource connections) {
        return JdbcClient.create(connections);
    }

    @Bean(initMethod = "start", destroyMethod = "close")
    Sequencer sequencer(AuditSettings settings, NoteSigner signer, InstantSource time, HikariDataSource migrated) {
        AuditSettings.Database database = settings.databaseOrThrow();
        return new Sequencer(
                new DriverManagerDataSource(database.url(), properties(database, "audit-sequencer")),
                new SequencerSettings(signer, settings.audit().sources(), Pace.DEFAULT, time));
    }

    @Bean(initMethod = "start", destroyMethod = "close")
    ReadTrail trail(JdbcClient db, InstantSource time) {
        return new ReadTrail(new Outbox(db), time);
    }

    /// With an API to ask, the service has a certificate; it waits for that API at its first start.
    @Bean(destroyMethod = "close")
    @ConditionalOnProperty("vigil.audit.api-url")
    IdentityKeeper identity(AuditSettings settings, InstantSource time) throws InterruptedException {
        AuditSettings.Log audit = settings.audit();
        try {
            return IdentityKeeper.await(
                    new IdentitySettings(
                            audit.stateDir(),
                            Objects.requireNonNull(audit.apiUrl()),
                            "audit",
                            audit.joinToken(),
                            audit.caPin()),
                    time);
        } catch (IdentityException e) {
            throw new IllegalStateException("audit-service not started: " + e.getMessage(), e);
        }
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnProperty("management.server.port")
    HealthPort health(Environment environment, Sequencer sequencer) throws IOException {
        return HealthPort.open(
                new InetSocketAddress(
                        environment.getProperty("management.server.address", "127.0.0.1"),
                        environment.getRequiredProperty("management.server.port", Integer.class)),
                () -> working(sequencer));
    }

    private static boolean working(Sequencer sequencer) {
        return Set.of(Sequencer.State.LEADING, Sequencer.State.STANDING_BY).contains(sequencer.state());
    }

    @Bean
    TomcatServletWebServerFactory webServer(Environment environment, ObjectProvider<IdentityKeeper> identity)
            throws UnknownHostException {
        TomcatServletWebServerFactory factory = EdgePort.of(environment, "audit", 8082);
        identity.ifAvailable(keeper -> factory.addConnectorCustomizers(
                connector -> EdgePort.secure(connector, keeper.server(Peers.anyService()))));
        return factory;
    }

    @Bean
    TokenCheck tokens(AuditSettings settings, ObjectProvider<IdentityKeeper> identity) {
        IdentityKeeper keeper = identity.getIfAvailable();
        var newest = new AtomicReference<>(client(keeper));
        if (keeper != null) {
            keeper.onRenewal(() -> newest.set(client(keeper)));
        }
        return TokenCheck.of(settings.tokenOrThrow().issuer().toString(), settings.tokenKeys(), newest::get);
    }

    /// Calls the API; with this service's certificate, when it has one.
    private static HttpClient client(@Nullable IdentityKeeper keeper) {
        HttpClient.Builder client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(CONNECT_SECONDS_MAX));
        if (keeper != null) {
            client.sslContext(keeper.clientTls(Peers.service("api"))).sslParameters(TlsContexts.parameters());
        }
        return client.build();
    }

    @Bean
    ServletRegistrationBean<AuditServlet> servlet(
            AuditSettings settings, AuditRoutes routes, TokenCheck tokens, ReadTrail trail, Sequencer sequencer) {
        var parts = new AuditServlet.Parts(routes, tokens, trail, () -> working(sequencer));
        var servlet = new AuditServlet(parts, Set.copyOf(settings.trustedProxies()));
        var registration = new ServletRegistrationBean<>(servlet, "/");
        registration.setLoadOnStartup(1);
        return registration;
    }

    @Bean
    AuditRoutes routes(HikariDataSource connections, NoteSigner signer) {
        return new AuditRoutes(connections, signer);
    }

    /// How both kinds of connections are made.
    private static Properties properties(AuditSettings.Database database, String name) {
        var properties = new Properties();
        properties.setProperty("user", database.username());
        properties.setProperty("password", database.password());
        properties.setProperty("ApplicationName", name);
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("connectTimeout", Integer.toString(CONNECT_SECONDS_MAX));
        properties.setProperty("socketTimeout", Integer.toString(ANSWER_SECONDS_MAX));
        // Each list is planned for its own filters, see Events.
        properties.setProperty("options", "-c plan_cache_mode=force_custom_plan");
        return properties;
    }
}
