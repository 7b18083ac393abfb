import Testing

@testable import GatePostgres

@Suite("Parameters as Postgres writes them")
struct ParameterSyntaxTests {
    @Test(
        "each ?N becomes $N, but for those in texts, names and comments",
        arguments: [
            ("SELECT 1", "SELECT 1", 0),
            ("WHERE a = ?1 AND b = ?2", "WHERE a = $1 AND b = $2", 2),
            ("VALUES (?2, ?1, ?12)", "VALUES ($2, $1, $12)", 12),
            ("?1?2", "$1$2", 2),
            ("SELECT '?1', ?1", "SELECT '?1', $1", 1),
            ("SELECT 'it''s ?1', ?2", "SELECT 'it''s ?1', $2", 2),
            (#"SELECT 'a\', ?1"#, #"SELECT 'a\', $1"#, 1),
            (#"SELECT E'a\'?1', ?2"#, #"SELECT E'a\'?1', $2"#, 2),
            (#"SELECT name'?1', ?2"#, #"SELECT name'?1', $2"#, 2),
            (#"SELECT "?1", ?2"#, #"SELECT "?1", $2"#, 2),
            ("SELECT 1 -- ?1\n, ?2", "SELECT 1 -- ?1\n, $2", 2),
            ("SELECT /* ?1 /* ?2 */ ?3 */ ?4", "SELECT /* ?1 /* ?2 */ ?3 */ $4", 4),
            ("SELECT $$ ?1 $$, ?2", "SELECT $$ ?1 $$, $2", 2),
            ("SELECT $a$ ?1 $$ ?2 $a$, ?3", "SELECT $a$ ?1 $$ ?2 $a$, $3", 3),
            ("SELECT a$b$, ?1, '$b$'", "SELECT a$b$, $1, '$b$'", 1),
            ("SELECT a ? b", "SELECT a ? b", 0),
            ("SELECT 'open ?1", "SELECT 'open ?1", 0),
            ("SELECT /* open ?1", "SELECT /* open ?1", 0),
            ("SELECT $x$ open ?1", "SELECT $x$ open ?1", 0),
            ("SELECT 'ä?1', ?1", "SELECT 'ä?1', $1", 1),
            ("", "", 0),
        ])
    func rewriting(_ source: String, _ expected: String, _ count: Int) {
        let syntax = ParameterSyntax(source.utf8)
        #expect(String(decoding: syntax.text, as: UTF8.self) == expected)
        #expect(syntax.count == count)
    }
}
