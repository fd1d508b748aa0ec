package dev.vigil.gdpr;

import com.zaxxer.hikari.HikariDataSource;
import dev.vigil.gdpr.request.RequestRoutes;
import dev.vigil.gdpr.request.RequestWorker;
import dev.vigil.gdpr.request.Signer;
import dev.vigil.gdpr.subject.AuditClient;
import dev.vigil.gdpr.subject.VaultClient;
import dev.vigil.gdpr.web.ProblemValve;
import dev.vigil.gdpr.web.TokenCheck;
import dev.vigil.protocol.identity.IdentitySettings;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.core.StandardHost;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.util.threads.VirtualThreadExecutor;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.Shutdown;
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
    private static final int HEADER_BYTES_MAX = 16 * 1024;
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
            GdprSchema.migrate(database.url(), database.migration());
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
                Signer.open(service.signingKeyFile(), service.createSigningKey()),
                service.exportLife());
        return new RequestRoutes(means, vault, new AuditClient(service.auditUrl()));
    }

    @Bean(initMethod = "start", destroyMethod = "close")
    RequestWorker worker(RequestRoutes routes) {
        return routes.worker();
    }

    @Bean
    TomcatServletWebServerFactory webServer(Environment environment) throws UnknownHostException {
        var factory = new TomcatServletWebServerFactory(environment.getProperty("server.port", Integer.class, 8083));
        factory.setAddress(InetAddress.getByName(environment.getProperty("server.address", "127.0.0.1")));
        factory.setShutdown(Shutdown.GRACEFUL);
        factory.addProtocolHandlerCustomizers(handler -> {
            handler.setExecutor(new VirtualThreadExecutor("gdpr-"));
            if (handler instanceof AbstractHttp11Protocol<?> http) {
                http.setMaxHttpRequestHeaderSize(HEADER_BYTES_MAX);
            }
        });
        factory.addContextCustomizers(
                context -> ((StandardHost) context.getParent()).setErrorReportValveClass(ProblemValve.class.getName()));
        return factory;
    }

    @Bean
    ServletRegistrationBean<GdprServlet> servlet(
            GdprSettings settings, RequestRoutes routes, VaultClient vault, HikariDataSource connections) {
        GdprSettings.Token token = settings.token();
        JdbcClient db = JdbcClient.create(connections);
        var servlet = new GdprServlet(
                routes, TokenCheck.of(token.issuer().toString(), token.keys()), () -> vault.ready() && reaches(db));
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
