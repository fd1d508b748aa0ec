package dev.vigil.scheduler;

import com.zaxxer.hikari.HikariDataSource;
import java.time.Clock;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/// What a core is made of. No auto-configuration: services share a class path, and a core needs none of it.
@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(CoreSettings.class)
class CoreConfiguration {
    @Bean
    HikariDataSource dataSource(CoreSettings settings) {
        CoreSettings.Database database = settings.database();
        CoreSettings.Login owner = database.migration();
        if (owner != null) {
            var migrator = new DriverManagerDataSource(database.url(), owner.username(), owner.password());
            SchedulerSchema.migrate(migrator, SchedulerSchema.SHARDS);
        }
        var pool = new HikariDataSource();
        pool.setPoolName("core");
        pool.setJdbcUrl(database.url());
        pool.setUsername(database.username());
        pool.setPassword(database.password());
        pool.setMaximumPoolSize(database.connections());
        pool.setMinimumIdle(1);
        pool.setConnectionTimeout(3_000);
        pool.setInitializationFailTimeout(30_000);
        return pool;
    }

    @Bean
    Core core(CoreSettings settings, HikariDataSource dataSource) {
        Durability.require(JdbcClient.create(dataSource));
        return new Core(settings, dataSource, Clock.systemUTC());
    }
}
