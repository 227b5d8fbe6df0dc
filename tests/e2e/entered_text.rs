//! Text as people enter it: in pieces, with invisible characters, in full width; and what reaches PortOne.

use end_to_end::{Shop, shop::basket, table};
use serde_json::json;

/// `홍길동` as a Mac writes it.
const HONG_IN_PIECES: &str = "\u{1112}\u{1169}\u{11BC}\u{1100}\u{1175}\u{11AF}\u{1103}\u{1169}\u{11BC}";

#[tokio::test]
async fn a_phone_number_pasted_with_invisible_marks_is_taken_for_the_number_that_its_buyer_sees() {
    let shop = Shop::open().await;
    // Case 12: marks of direction around the number, dashes that are no hyphens, digits of full width.
    for (pasted, number) in [
        ("\u{202A}+82 10-1234-5678\u{202C}", "+821012345678"),
        ("010\u{2013}1234\u{2013}5678", "01012345678"),
        ("０１０－１２３４－５６７８", "01012345678"),
    ] {
        let mut body = basket("shoes", 1);
        body["customer"] = json!({ "name": "홍길동", "phone": pasted });
        let order = shop.placed_for(&body).await;
        assert_eq!(order.payment()["customer"]["phoneNumber"], number);
    }
}

#[tokio::test]
async fn what_a_pg_is_given_is_composed_and_in_letters_that_it_can_spell() {
    let shop = Shop::open().await;
    // Case 10: a table that another program filled, with the letters of a Mac.
    let name = format!("Cafe\u{301} {HONG_IN_PIECES} 🎉 凉拌 这个");
    table::set_product(&shop.stack, "shoes", "name", &json!({ "S": name }));
    for sdk in ["v2", "v1"] {
        let mut body = basket("shoes", 1);
        body["customer"] = json!({ "name": format!("{HONG_IN_PIECES} é🎉") });
        body["sdk"] = json!(sdk);
        let order = shop.placed_for(&body).await;
        assert_eq!(order.body["orderName"], "Cafe 홍길동 凉拌");
        assert_eq!(
            order.body["items"][0]["name"], "Café 홍길동 🎉 凉拌 这个",
            "the buyer reads the whole name"
        );
        let payment = order.payment();
        let sent = if sdk == "v2" { &payment["customer"]["fullName"] } else { &payment["buyer_name"] };
        assert_eq!(sent, "홍길동 e");
        assert_eq!(shop.stored(&order.id)["customer"]["name"], "홍길동 é🎉", "as entered, composed");
    }
}
