package dev.vigil.api.access;

import dev.vigil.api.vault.VaultKeys;
import dev.vigil.api.web.Cursors;
import jakarta.persistence.EntityManagerFactory;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.orm.jpa.vendor.HibernateJpaVendorAdapter;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Identity and how it hangs together. The mapper is used for users, clients and namespaces only: plain rows behind
/// forms, nothing hot. Classes with one constructor are wired by their parameters.
@Configuration(proxyBeanMethods = false)
@EnableJpaRepositories(considerNestedRepositories = false)
@Import({
    OAuthConfiguration.class,
    OAuthConfiguration.Parts.class,
    ApiKeyRoutes.class,
    ApiKeys.class,
    ApiKeys.Tools.class,
    AuthRoutes.class,
    AuthRoutes.SignIn.class,
    AuthorizationCodes.class,
    AuthorizeRoutes.class,
    AuthorizeRoutes.Deciding.class,
    Bootstrap.class,
    BrowserSession.Cookies.class,
    CallLog.class,
    Callers.class,
    DiscoveryRoutes.class,
    IssuedTokens.class,
    IssuedTokens.Endings.class,
    MeRoute.class,
    NamespaceRoutes.class,
    Namespaces.class,
    Namespaces.Tools.class,
    OAuthClients.class,
    OAuthClients.Known.class,
    PasswordCheck.class,
    PasswordCheck.Guard.class,
    Passwords.class,
    PublicClientCheck.class,
    PublicClients.class,
    Revisions.class,
    Revocations.class,
    RowSigner.class,
    ServiceKeys.class,
    ServiceAccountRoutes.class,
    Sessions.class,
    Sessions.Tools.class,
    SignInGrant.class,
    SignInGrant.People.class,
    StoredAccounts.class,
    SignedText.class,
    SigningKeys.class,
    StandingRoutes.class,
    Tokens.class,
    Tokens.Sources.class,
    UserRoutes.class,
    UserRoutes.Lists.class,
    Users.class,
    Users.Tools.class
})
public class AccessConfiguration {
    @Bean
    LocalContainerEntityManagerFactoryBean entityManagerFactory(DataSource dataSource) {
        var factory = new LocalContainerEntityManagerFactoryBean();
        factory.setDataSource(dataSource);
        factory.setPackagesToScan(AccessConfiguration.class.getPackageName());
        factory.setJpaVendorAdapter(new HibernateJpaVendorAdapter());
        factory.setJpaPropertyMap(Map.of(
                "hibernate.hbm2ddl.auto", "none",
                "hibernate.boot.allow_jdbc_metadata_access", "false",
                "jakarta.persistence.database-product-name", "PostgreSQL",
                "jakarta.persistence.database-major-version", "18"));
        return factory;
    }

    @Bean
    PlatformTransactionManager transactionManager(EntityManagerFactory factory) {
        return new JpaTransactionManager(factory);
    }

    @Bean
    TransactionTemplate transactionTemplate(PlatformTransactionManager transactions) {
        return new TransactionTemplate(transactions);
    }

    @Bean
    Cursors cursors(VaultKeys keys) {
        return new Cursors(keys::mac);
    }

    @Bean
    FailureThrottle failureThrottle() {
        return new FailureThrottle(System::nanoTime);
    }

    @Bean
    AuthorizationServerSettings authorizationServerSettings(AccessSettings settings) {
        return AuthorizationServerSettings.builder().issuer(settings.issuer()).build();
    }
}
