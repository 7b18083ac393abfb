import GatePostgres
import Testing

@Suite("The address of a Postgres database")
struct PostgresURLTests {
    @Test(
        "is shown without passwords",
        arguments: [
            ("postgres://localhost/gate", "postgres://localhost/gate"),
            ("postgresql://localhost", "postgres://localhost"),
            ("postgres:///gate", "postgres:///gate"),
            ("postgres://ann@db.example:6432/gate", "postgres://ann@db.example:6432/gate"),
            ("postgres://ann:hidden@db.example/gate?sslmode=verify-full", "postgres://ann:<redacted>@db.example/gate?sslmode=verify-full"),
            ("postgres://ann:h:i%40d@db/gate", "postgres://ann:<redacted>@db/gate"),
            ("postgres://ann:hidden@one:1,two:2/gate", "postgres://ann:<redacted>@one:1,two:2/gate"),
            ("postgres://ann:hidden@[2001:db8::1]:5432/gate", "postgres://ann:<redacted>@[2001:db8::1]:5432/gate"),
            ("postgres://ann@%2Fvar%2Frun%2Fpostgresql/gate", "postgres://ann@%2Fvar%2Frun%2Fpostgresql/gate"),
            ("postgres:///gate?host=/tmp&password=hidden&prepare=off", "postgres:///gate?host=/tmp&password=<redacted>&prepare=off"),
            ("postgres://db/gate?sslkey=/k&sslpassword=hidden", "postgres://db/gate?sslkey=/k&sslpassword=<redacted>"),
        ])
    func shown(_ text: String, _ expected: String) throws {
        let url = try PostgresURL(text)
        #expect(url.description == expected)
        #expect(!"\(url)".contains("hidden"))
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("hidden"))
    }

    @Test(
        "is refused where it can be misread, and no part of it is repeated",
        arguments: [
            "mysql://db/gate", "postgres://ann:se@cret@db/gate", "postgres://ann:se/cret@db/gate", "postgres://ann:se?cret@db/gate",
            "postgres://ann:se#cret@db/gate", "postgres://ann:se cret@db/gate", "postgres://ann:se%cret@db/gate",
            "postgres://ann:secret@db:port/gate", "postgres://ann:secret@db:99999/gate", "postgres://ann:secret@db/gate?secret=1",
            "postgres://ann:secret@db/gate?prepare=secret", "postgres://ann:secret@db/gate?options=-c%20fsync=off",
            "postgres://ann:secret@d b/gate", "postgres://ann:secret@db!/gate", "postgres://ann:secret@[::1/gate",
            "postgres://ann:%00@db/gate",
        ])
    func refused(_ text: String) {
        #expect {
            try PostgresURL(text)
        } throws: { error in
            guard let fault = error as? PostgresURL.Fault else { return false }
            return !fault.problem.contains("cret") && !fault.cure.contains("cret") && !fault.problem.isEmpty
        }
    }

    @Test(
        "names several hosts before the / and nowhere else",
        arguments: [
            ("postgres://ann@one,two:2/gate", nil),
            ("postgres:///gate?host=/tmp&port=5433", nil),
            ("postgres://db/gate?hostaddr=192.0.2.1", nil),
            ("postgres://db/gate?port=5433", nil),
            ("postgres:///gate?host=one,two", "lists hosts"),
            ("postgres:///gate?host=one%2Ctwo", "lists hosts"),
            ("postgres:///gate?host=one%2ctwo", "lists hosts"),
            ("postgres://db/gate?hostaddr=192.0.2.1,192.0.2.2", "lists hosts"),
            ("postgres:///gate?host=one&port=1,2", "lists hosts"),
            ("postgres://one%2Ctwo/gate", "lists hosts"),
            ("postgres://one/gate?host=two", "before the / and after the ?"),
            ("postgres://:5432/gate?host=two", "before the / and after the ?"),
            ("postgres://one,two/gate?hostaddr=192.0.2.1", "for several hosts"),
            ("postgres://one,two/gate?port=5433", "for several hosts"),
        ] as [(String, String?)])
    func hosts(_ text: String, _ problem: String?) throws {
        guard let problem else {
            _ = try PostgresURL(text)
            return
        }
        #expect {
            try PostgresURL(text)
        } throws: { error in
            guard let fault = error as? PostgresURL.Fault else { return false }
            return fault.problem.contains(problem) && fault.cure.hasPrefix("write several hosts before the /")
        }
    }

    @Test("two of them are the same only with the same password")
    func equality() throws {
        #expect(try PostgresURL("postgres://a:1@db/gate") == PostgresURL("postgres://a:1@db/gate"))
        #expect(try PostgresURL("postgres://a:1@db/gate") != PostgresURL("postgres://a:2@db/gate"))
        #expect(try PostgresURL("postgres://a:1@db/gate") != PostgresURL("postgres://a:1@db/gate?prepare=off"))
    }
}
