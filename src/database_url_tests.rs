//! URLs as hosting platforms and other libraries write them, and the messages about mistakes.

use super::*;

fn parse(text: &str) -> DatabaseUrl {
    DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_addresses_of_hosting_platforms_work() {
    for (text, address, through_pooler) in [
        // Heroku, Railway, Render, Fly.
        (
            "postgres://u:p@ec2-1.compute-1.amazonaws.com:5432/d",
            "postgres://u:p@ec2-1.compute-1.amazonaws.com:5432/d",
            false,
        ),
        (
            "postgresql://u:p@postgres.railway.internal:5432/railway",
            "postgresql://u:p@postgres.railway.internal:5432/railway",
            false,
        ),
        (
            "postgresql://u:p@dpg-abc-a.oregon-postgres.render.com/d",
            "postgresql://u:p@dpg-abc-a.oregon-postgres.render.com/d",
            false,
        ),
        (
            "postgres://u:p@top2.nearest.of.db.internal:5432/d?sslmode=disable",
            "postgres://u:p@top2.nearest.of.db.internal:5432/d?sslmode=disable",
            false,
        ),
        // Neon.
        (
            "postgresql://u:p@ep-a-1.eu-central-1.aws.neon.tech/d?sslmode=require&channel_binding=require",
            "postgresql://u:p@ep-a-1.eu-central-1.aws.neon.tech/d?sslmode=require",
            false,
        ),
        (
            "postgres://u:p@ep-a-1-pooler.eu-central-1.aws.neon.tech/d?sslmode=require",
            "postgres://u:p@ep-a-1-pooler.eu-central-1.aws.neon.tech/d?sslmode=require",
            true,
        ),
        ("postgres://u:p@h/d?options=endpoint%3Dep-a-1", "postgres://u:p@h/d?options=endpoint%3Dep-a-1", false),
        // Supabase and Prisma.
        (
            "postgres://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1",
            "postgres://postgres.ref:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            true,
        ),
        (
            "postgres://postgres.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres",
            "postgres://postgres.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres",
            true,
        ),
        (
            "postgres://postgres.ref:p@aws-0-eu.pooler.supabase.com:5432/postgres",
            "postgres://postgres.ref:p@aws-0-eu.pooler.supabase.com:5432/postgres",
            false,
        ),
        ("postgres://u:p@h/d?schema=public&connect_timeout=10&pool_timeout=0", "postgres://u:p@h/d", false),
        ("postgres://u:p@h/d?schema=credits", "postgres://u:p@h/d?options%5Bsearch_path%5D=credits", false),
        ("postgres://u:p@h/d?sslaccept=strict", "postgres://u:p@h/d?sslmode=verify-full", false),
        ("postgres://u:p@h/d?sslmode=require&sslaccept=strict", "postgres://u:p@h/d?sslmode=verify-full", false),
        ("postgres://u:p@h/d?sslrootcert=system", "postgres://u:p@h/d?sslmode=verify-full", false),
        ("postgres://u:p@h/d?sslmode=require&sslrootcert=system", "postgres://u:p@h/d?sslmode=verify-full", false),
        (
            "postgres://u:p@h/d?sslmode=require&sslrootcert=ca.pem",
            "postgres://u:p@h/d?sslmode=verify-ca&sslrootcert=ca.pem",
            false,
        ),
        (
            "postgres://u:p@h/d?sslmode=verify-full&sslrootcert=ca.pem",
            "postgres://u:p@h/d?sslmode=verify-full&sslrootcert=ca.pem",
            false,
        ),
        // node-postgres, JDBC, Django.
        ("postgres://u:p@h/d?ssl=true", "postgres://u:p@h/d?sslmode=require", false),
        ("postgres://u:p@h/d?ssl=true&sslmode=verify-full", "postgres://u:p@h/d?sslmode=verify-full", false),
        ("postgres://u:p@h/d?sslmode=verify-full&sslrootcert=system", "postgres://u:p@h/d?sslmode=verify-full", false),
        ("postgres://u:p%40s@h/d?target_session_attrs=read-write&prepareThreshold=0", "postgres://u:p%40s@h/d", false),
        ("postgres:///d?host=/var/run/postgresql", "postgres:///d?host=%2Fvar%2Frun%2Fpostgresql", false),
        ("sqlite:topup.db?mode=rwc", "sqlite:topup.db?mode=rwc", false),
    ] {
        let url = parse(text);
        assert_eq!((url.address(), url.through_pooler), (address, through_pooler), "{text}");
        assert!(!format!("{url:?}").contains("u:p"), "{url:?}");
    }
}

#[test]
fn what_is_asked_of_the_pool_is_carried() {
    let url = parse("postgres://u:p@h/d?pgbouncer=true&connection_limit=7&pool_timeout=20");
    assert_eq!((url.through_pooler, url.connection_limit, url.pool_timeout_seconds), (true, Some(7), Some(20)));
    let url = parse("postgres://u:p@h-pooler.x.neon.tech/d?pgbouncer=false&pool_timeout=0");
    assert_eq!((url.through_pooler, url.connection_limit, url.pool_timeout_seconds), (false, None, None));
}

#[test]
fn what_is_left_out_is_told() {
    let url = parse("postgres://u:p@h/d?channel_binding=require&connect_timeout=5&supa=base-pooler.x");
    assert!(url.notes[0].contains("sslmode=verify-full"), "{:?}", url.notes);
    assert!(url.notes[1].contains("connect_timeout, supa"), "{:?}", url.notes);
    assert!(parse("postgres://u:p@h/d?sslmode=require").notes.is_empty());
}

#[test]
fn what_cannot_work_is_explained_without_the_password() {
    for (text, words) in [
        ("mysql://u:hunter2@h/d", "must start with sqlite: "),
        ("hunter2", "must start with sqlite: "),
        ("file:./hunter2.db", "write sqlite: instead of file:"),
        ("jdbc:postgresql://h/d?password=hunter2", "JDBC"),
        ("prisma+postgres://hunter2", "Prisma's own service"),
        ("postgresql+asyncpg://u:hunter2@h/d", "driver of another language"),
        ("postgres://u:hun#ter2@h/d", "percent-encoded"),
        ("postgres://u:hun/ter2@h/d", "percent-encoded"),
        ("postgres://u:12#hunter2@h/d", "percent-encoded"),
        ("postgres://u:12?hunter2@h/d", "percent-encoded"),
        ("postgres://u:12?sslmode=require&hunter2@h/d", "percent-encoded"),
        ("postgres://u:hunter2@:notaport/x", "percent-encoded"),
        ("postgres://u:hunter2@a:5432,b:5432/d", "several hosts"),
        ("postgres://u:hunter2@a,b/d", "several hosts"),
        ("postgres://u:hunter2@h/d?sslmod=require", "did you mean sslmode?"),
        ("postgres://u:hunter2@h/d?pgbounce=true", "did you mean pgbouncer?"),
        ("postgres://u:hunter2@h/d?hunter2=1", "parameter after ? that is not known"),
        ("postgres://u:hunter2@h/d?sslmode=no-verify", "sslmode=require for the same"),
        ("postgres://u:hunter2@h/d?sslmode=hunter2", "write one of disable"),
        ("postgres://u:hunter2@h/d?pgbouncer=hunter2", "true or false for pgbouncer"),
        ("postgres://u:hunter2@h/d?connection_limit=0", "1 or more for connection_limit"),
        ("postgres://u:hunter2@h/d?pool_timeout=-1", "0 or more for pool_timeout"),
        ("postgres://u:hunter2@h/d?target_session_attrs=read-only", "cannot be written to"),
        ("postgres://u:hunter2@h/d?gssencmode=require", "GSSAPI"),
        ("postgres://u:hunter2@h/d?schema=a-b", "letters, digits and _"),
        ("postgres://u:hunter2@h/d?schema=a&pgbouncer=true", "ALTER ROLE"),
    ] {
        let error = DatabaseUrl::parse(text).expect_err(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
