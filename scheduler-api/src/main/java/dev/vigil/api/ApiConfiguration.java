package dev.vigil.api;

import com.zaxxer.hikari.HikariDataSource;
import dev.vigil.api.access.AccessConfiguration;
import dev.vigil.api.access.AccessSettings;
import dev.vigil.api.gateway.GatewayConfiguration;
import dev.vigil.api.gateway.GatewaySettings;
import dev.vigil.api.task.TaskConfiguration;
import dev.vigil.api.vault.VaultConfiguration;
import dev.vigil.api.web.CallRunner;
import dev.vigil.api.web.KeyBox;
import dev.vigil.api.web.Outbox;
import dev.vigil.api.web.RateLimits;
import dev.vigil.api.web.RouteTable;
import dev.vigil.api.web.Routes;
import dev.vigil.scheduler.task.Statements;
import java.time.Clock;
import java.time.InstantSource;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/// What the service is made of. Auto-configurations are listed, not searched for: beside this one other services live
/// on the same class path.
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({PropertyPlaceholderAutoConfiguration.class, LifecycleAutoConfiguration.class})
@EnableConfigurationProperties(ApiSettings.class)
@Import({
    VaultConfiguration.class,
    AccessConfiguration.class,
    TaskConfiguration.class,
    GatewayConfiguration.class,
    PortConfiguration.class
})
class ApiConfiguration {
    /// The version of the webjar in the pom; a test notices when they part.
    private static final String SWAGGER_UI = "5.32.14";

    @Bean
    InstantSource time() {
        return Clock.systemUTC();
    }

    /// Migrates before anybody can ask for a connection.
    @Bean(destroyMethod = "close")
    DataSource dataSource(ApiSettings settings) {
        var pool = new HikariDataSource();
        pool.setPoolName("api");
        pool.setJdbcUrl(settings.database().url());
        pool.setUsername(settings.database().username());
        pool.setPassword(settings.database().password());
        pool.setMaximumPoolSize(settings.database().connections());
        pool.setMinimumIdle(2);
        pool.setConnectionTimeout(5_000);
        pool.setKeepaliveTime(30_000);
        pool.addDataSourceProperty("ApplicationName", "scheduler-api");
        pool.addDataSourceProperty("tcpKeepAlive", "true");
        try {
            Migrations.run(settings.database(), JdbcClient.create(pool));
        } catch (RuntimeException e) {
            pool.close();
            throw e;
        }
        return pool;
    }

    @Bean
    JdbcClient jdbcClient(DataSource dataSource) {
        return Statements.over(dataSource);
    }

    @Bean
    Outbox outbox(JdbcClient db) {
        return new Outbox(db);
    }

    @Bean
    AccessSettings accessSettings(ApiSettings settings) {
        ApiSettings.Admin admin = settings.bootstrap().admin();
        ApiSettings.Client client = settings.bootstrap().client();
        return new AccessSettings(
                settings.url().toString(),
                settings.limits().requestsPerMinute(),
                settings.limits().tokenLife(),
                settings.limits().sessionLife(),
                settings.publicClients(),
                admin == null ? null : new AccessSettings.Account(admin.username(), admin.password()),
                client == null ? null : new AccessSettings.Account(client.id(), client.secret()));
    }

    @Bean
    GatewaySettings gatewaySettings(ApiSettings settings) {
        return new GatewaySettings(
                settings.url().toString(),
                settings.audit().url(),
                settings.gdpr().url(),
                SWAGGER_UI);
    }

    @Bean
    RouteTable routeTable(List<Routes> features) {
        return new RouteTable(
                features.stream().flatMap(feature -> feature.all().stream()).toList());
    }

    @Bean
    CallRunner callRunner(JdbcClient db, TransactionTemplate transaction, KeyBox keys) {
        return new CallRunner(db, transaction, keys);
    }

    @Bean
    RateLimits rateLimits(ApiSettings settings) {
        return new RateLimits(settings.limits().unauthenticatedPerMinute(), System::nanoTime);
    }
}
