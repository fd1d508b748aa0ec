package dev.vigil.gdpr;

import com.zaxxer.hikari.HikariDataSource;
import dev.vigil.edge.EdgePort;
import dev.vigil.edge.KeyPairFile;
import dev.vigil.edge.KeyPairFile.Algorithm;
import dev.vigil.edge.TokenCheck;
import dev.vigil.gdpr.request.RequestRoutes;
import dev.vigil.gdpr.request.RequestWorker;
import dev.vigil.gdpr.request.Signer;
import dev.vigil.gdpr.subject.AuditClient;
import dev.vigil.gdpr.subject.VaultClient;
import dev.vigil.protocol.health.HealthPort;
import dev.vigil.protocol.identity.IdentitySettings;
import dev.vigil.protocol.identity.Peers;
import dev.vigil.protocol.identity.ServerTls;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
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
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// What the service is made of. Auto-configurations are listed, not searched for: beside this one other services live
/// on the same class path.
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({PropertyPlaceholderAutoConfiguration.class, LifecycleAutoConfiguration.class})
@EnableConfigurationProperties(GdprSettings.class)
class GdprConfiguration {
    private static final int CONNECT_SECONDS_MAX = 5;

    @Bean
    InstantSource time() {
        return Clock.systemUTC();
    }

    /// Migrates before anybody can ask for a connection.
    @Bean(destroyMethod = "close")
    HikariDataSource connections(GdprSettings settings) {
        GdprSettings.Database database = settings.database();
        if (database.migration() != null) {
            GdprSchema.migrate(
                    database.url(),
                    database.migration().username(),
                    database.migration().password());
        }
        var pool = new HikariDataSource();
        pool.setPoolName("gdpr");
        pool.setJdbcUrl(database.url());
        pool.setUsername(database.username());
        pool.setPassword(database.password());
        pool.setMaximumPoolSize(database.connections());
        pool.setMinimumIdle(1);
        pool.setConnectionTimeout(TimeUnit.SECONDS.toMillis(CONNECT_SECONDS_MAX));
        pool.addDataSourceProperty("ApplicationName", "gdpr-service");
        pool.addDataSourceProperty("tcpKeepAlive", "true");
        if (database.migration() == null) {
            requireSchema(pool);
        }
        return pool;
    }

    private static void requireSchema(HikariDataSource pool) {
        try {
            GdprSchema.require(JdbcClient.create(pool));
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
    }

    @Bean(destroyMethod = "close")
    VaultClient vault(GdprSettings settings, InstantSource time) {
        GdprSettings.Service service = settings.gdpr();
        return VaultClient.open(
                new IdentitySettings(
                        service.stateDir(), service.apiUrl(), service.name(), service.joinToken(), service.caPin()),
                time);
    }

    @Bean
    RequestRoutes routes(GdprSettings settings, HikariDataSource connections, InstantSource time, VaultClient vault) {
        GdprSettings.Service service = settings.gdpr();
        var means = new RequestRoutes.Means(
                JdbcClient.create(connections),
                new TransactionTemplate(new JdbcTransactionManager(connections)),
                time,
                new Signer(KeyPairFile.open(
                        service.signingKeyFile(), Algorithm.P256, "vigil.gdpr", service.createSigningKey())),
                service.exportLife());
        return new RequestRoutes(means, vault, new AuditClient(service.auditUrl(), vault));
    }

    @Bean(initMethod = "start", destroyMethod = "close")
    RequestWorker worker(RequestRoutes routes) {
        return routes.worker();
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnProperty("management.server.port")
    HealthPort health(Environment environment, BooleanSupplier ready) throws IOException {
        return HealthPort.open(
                new InetSocketAddress(
                        environment.getProperty("management.server.address", "127.0.0.1"),
                        environment.getRequiredProperty("management.server.port", Integer.class)),
                ready);
    }

    @Bean
    BooleanSupplier ready(VaultClient vault, HikariDataSource connections) {
        JdbcClient db = JdbcClient.create(connections);
        return () -> vault.ready() && reaches(db);
    }

    @Bean
    TomcatServletWebServerFactory webServer(Environment environment, GdprSettings settings, VaultClient vault)
            throws UnknownHostException, InterruptedException {
        TomcatServletWebServerFactory factory = EdgePort.of(environment, "gdpr", 8083);
        if (settings.gdpr().tls()) {
            ServerTls tls = vault.identity().server(Peers.anyService());
            factory.addConnectorCustomizers(connector -> EdgePort.secure(connector, tls));
        }
        return factory;
    }

    @Bean
    TokenCheck tokens(GdprSettings settings, VaultClient vault) {
        HttpClient plain = plain();
        return TokenCheck.of(
                settings.token().issuer().toString(),
                settings.tokenKeys(),
                () -> settings.gdpr().tls() ? vault.toApi() : plain);
    }

    private static HttpClient plain() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(CONNECT_SECONDS_MAX))
                .build();
    }

    @Bean
    ServletRegistrationBean<GdprServlet> servlet(
            GdprSettings settings, RequestRoutes routes, TokenCheck tokens, BooleanSupplier ready) {
        var servlet = new GdprServlet(routes, tokens, ready, Set.copyOf(settings.trustedProxies()));
        var registration = new ServletRegistrationBean<>(servlet, "/");
        registration.setLoadOnStartup(1);
        return registration;
    }

    private static boolean reaches(JdbcClient db) {
        try {
            return db.sql("SELECT 1").query(Integer.class).single() == 1;
        } catch (DataAccessException _) {
            return false;
        }
    }
}
