### What the line says in Spanish: usted, for Spain and the Americas alike.
### A message's value is its plain wording. Attributes: .v2 .v3 other wordings of the same, .upset for a caller who is
### upset or angry, .again and .spell for a question asked a second and third time. Other attributes are named in code.

## Start and end of a call

greeting = Hola, ha llamado a { $company } y le atiende nuestro asistente automático. ¿En qué puedo ayudarle?
    .recorded = Hola, ha llamado a { $company } y le atiende nuestro asistente automático. Esta llamada se graba. ¿En qué puedo ayudarle?
welcome-back = Hola de nuevo, le atiende el asistente automático de { $company }. Antes se cortó la llamada.
    .recorded = Hola de nuevo, le atiende el asistente automático de { $company }. Esta llamada se graba. Antes se cortó la llamada.
ask-resume = { $flow ->
        [order_status] Estábamos buscando un pedido. ¿Seguimos?
        [update_address] Estábamos cambiando una dirección. ¿Seguimos?
        [update_phone] Estábamos cambiando un número de teléfono. ¿Seguimos?
        [callback] Estábamos programando una llamada. ¿Seguimos?
       *[talk_to_human] Quería hablar con una persona. ¿Seguimos con eso?
    }
    .again = ¿Quiere seguir donde lo dejamos, sí o no?
    .spell = Diga sí o pulse uno para seguir donde lo dejamos, diga no o pulse dos para empezar con otra cosa.
dropped-open-things = De acuerdo, lo dejamos. No se ha cambiado nada.
    .unknown = De acuerdo, lo dejamos.
hello-again = ¡Hola!
ask-how-help = ¿En qué puedo ayudarle?
    .v2 = ¿Qué puedo hacer por usted?
    .again = Puede preguntar por un pedido, cambiar su dirección o su teléfono, pedir que le llamemos o hacerme una consulta. ¿Qué necesita?
    .spell = Dígamelo en pocas palabras: ¿un pedido, una dirección, un teléfono, una llamada o una consulta?
ask-more = ¿Puedo ayudarle en algo más?
    .v2 = ¿Necesita alguna otra cosa?
    .v3 = ¿Algo más por hoy?
    .upset = ¿Hay algo más que pueda resolverle?
    .again = ¿Necesita algo más, sí o no?
    .spell = Si necesita algo más, dígamelo. Si no, diga no.
ask-go-ahead = Claro, ¿de qué se trata?
    .v2 = Por supuesto, dígame.
    .again = ¿Qué más necesita?
    .spell = Dígame en pocas palabras qué necesita.
ask-clarify = Perdone, no le he entendido. ¿Qué quiere hacer?
    .again = Lo siento, sigo sin entenderle. Puede decir, por ejemplo: dónde está mi pedido, o cambiar mi dirección.
    .spell = Lo siento, no le he entendido. Dígamelo en pocas palabras, por favor.
ask-satisfaction = Antes de despedirnos: del uno al cinco, siendo cinco lo mejor, ¿cómo valora mi atención?
    .again = Diga un número del uno al cinco, o púlselo en el teclado.
    .spell = Pulse una tecla del uno al cinco, o simplemente despídase.
rating-thanks = Muchas gracias, queda anotado.
goodbye = Gracias por llamar. ¡Hasta luego!
    .v2 = Gracias por su llamada. ¡Adiós!
    .upset = Gracias por su paciencia. Hasta luego.
left-open = { $flow ->
        [update_address] La dirección se queda como estaba.
        [update_phone] El teléfono se queda como estaba.
        [callback] No se ha reservado ni cambiado ninguna llamada.
       *[other] Eso se queda como estaba.
    } Puede volver a llamar cuando quiera.
    .unknown = Todavía no puedo decirle si el cambio de antes se hizo. Puede volver a llamar cuando quiera.
silence-goodbye = No le oigo, así que termino la llamada. Si vuelve a llamar, seguimos donde lo dejamos. ¡Hasta luego!

## Repair

still-there = ¿Sigue ahí?
    .again = ¿Hola? No le oigo.
back-on-the-line = Parece que se ha cortado un momento.
    .v2 = Se había ido la línea un momento.
hold-on = Por supuesto, tómese su tiempo.
    .v2 = Claro, sin prisa.
    .v3 = De acuerdo, le espero.
slower = Claro, más despacio.
switched-language = Claro, hablamos en español.
sorry-misheard = Perdone.
    .v2 = Disculpe, culpa mía.
cancelled = { $flow ->
        [order_status] De acuerdo, dejamos el pedido.
        [update_address] De acuerdo, dejamos el cambio de dirección. No se ha cambiado nada.
        [update_phone] De acuerdo, dejamos el cambio de teléfono. No se ha cambiado nada.
        [callback] De acuerdo, dejamos la llamada. No se ha reservado ni cambiado nada.
       *[other] De acuerdo, lo dejamos.
    }
    .unknown = De acuerdo, lo dejamos. Todavía no puedo decirle si el cambio de antes se hizo.
back-to = { $flow ->
        [order_status] Volvamos a su pedido.
        [update_address] Volvamos a su dirección.
        [update_phone] Volvamos a su teléfono.
        [callback] Volvamos a su llamada.
       *[other] Volvamos a lo que estábamos.
    }
you-are-welcome = De nada.
    .v2 = Con mucho gusto.
sorry-for-trouble = Lo siento mucho.
    .v2 = Siento las molestias.
    .upset = Lo siento de verdad. Entiendo su molestia.
out-of-scope = Lo siento, con eso no puedo ayudarle. Puedo consultar pedidos, cambiar una dirección o un teléfono, programar llamadas y responder preguntas sobre la tienda.
    .v2 = Eso no puedo hacerlo desde aquí.

## Identity

ask-account = ¿De qué cuenta se trata? Dígame el teléfono, el correo electrónico o un número de pedido.
    .again = ¿Me dice el teléfono de la cuenta, el correo electrónico o el número de un pedido?
    .spell = Puede marcar el teléfono en el teclado, o deletrear el correo o el número de pedido.
ask-fact = Por su seguridad, ¿me dice el código postal de la cuenta o un número de pedido?
    .again = Necesito un dato para comprobar que es usted: ¿me dice el código postal o el número de uno de sus pedidos?
    .spell = Diga el código postal cifra por cifra, o márquelo en el teclado.
ask-fact-of-order = Gracias. Por su seguridad, ¿me dice el código postal o el correo electrónico de la cuenta?
    .again = Necesito otro dato para comprobar que es usted: ¿me dice el código postal o el correo electrónico?
    .spell = Diga el código postal cifra por cifra, o márquelo en el teclado.
ask-fact-retry = ¿Me lo repite, o me da otro teléfono o correo electrónico de la cuenta?
    .again = ¿Me dice el código postal de la cuenta o el número de uno de sus pedidos?
    .spell = Diga el código postal cifra por cifra, o márquelo en el teclado.
identity-no-match = Lo siento, esos datos no coinciden con los que tengo.
    .v2 = Lo siento, no me coinciden los datos.
identity-locked = Por su seguridad, en esta llamada no puedo seguir con la cuenta.
identity-lapsed = Ha pasado un rato, así que tengo que volver a comprobar que es usted.
code-sent-sms = Acabo de enviarle un código de seis cifras por mensaje de texto al número que tenemos registrado, que termina en { $ending }.
code-sent-email = Acabo de enviarle un código de seis cifras al correo electrónico que tenemos registrado.
ask-code = ¿Cuál es el código?
    .v2 = ¿Me dice el código, por favor?
    .again = ¿Me lee las seis cifras, una por una?
    .spell = Puede marcar las seis cifras en el teclado. Si no le ha llegado, diga: mándelo por correo.
code-wrong = Ese no es el código que le envié.
code-expired = Ese código ya no es válido.

## Knowledge

faq-answer = { $answer }
faq-unknown = No tengo respuesta para eso, y prefiero no inventarla.
    .v2 = Lo siento, eso no lo sé.
faq-unknown-later = No tengo respuesta para eso. Cuando terminemos con esto, puedo pasarle con una persona.

## Orders

order-placed = Hemos recibido su pedido { $order }, { $items }, y pronto empezaremos a prepararlo.
order-processing = Su pedido { $order }, { $items }, se está preparando ahora mismo.
order-shipped = Su pedido { $order }, { $items }, está en camino.
order-out-for-delivery = Su pedido { $order }, { $items }, está hoy en reparto.
order-delivered = Su pedido { $order }, { $items }, figura como entregado.
order-delayed = Su pedido { $order }, { $items }, lleva retraso. Lo siento.
order-returned = Su pedido { $order }, { $items }, nos ha llegado de vuelta como devolución.
order-cancelled = Su pedido { $order }, { $items }, está cancelado.
order-lost = Lo siento, su pedido { $order }, { $items }, se perdió en el transporte.
order-delivered-on = Se entregó { $day }.
order-carrier = Lo lleva { $carrier }.
order-tracking = El número de seguimiento es { $tracking }.
order-expected = Debería llegar { $day }.
order-expected-passed = Tenía que llegar { $day }, así que va con retraso.
order-not-found = No encuentro ese pedido entre los suyos.
order-none = No veo ningún pedido en esta cuenta.
order-choice = el de { $items }, hecho { $placed }
ask-order-which = ¿De qué pedido me habla: { $orders }?
    .again = Dígame el número de pedido, o diga, por ejemplo, el primero. ¿Cuál es: { $orders }?
    .spell = Diga el número de pedido cifra por cifra, o márquelo en el teclado.
order-problem-sorry = Lo siento, eso no debería pasar. Tiene que revisarlo un compañero.

## Account

ask-address = ¿Cuál es la nueva dirección? Empiece por la calle y el número, por favor.
    .again = ¿Me dice la nueva dirección: calle y número, ciudad y código postal?
    .spell = Diga el nombre de la calle y, si es poco común, deletréelo.
ask-address-line1 = ¿Qué calle y qué número?
    .again = ¿Cómo se llama la calle, y cuál es el número?
    .spell = Deletree el nombre de la calle y después diga el número.
ask-address-city = ¿En qué ciudad?
    .again = ¿Cómo se llama la ciudad o el pueblo?
    .spell = Deletree el nombre de la ciudad, por favor.
ask-address-region = ¿En qué provincia o estado?
    .again = ¿Cómo se llama la provincia o el estado?
    .spell = Deletree el nombre de la provincia o del estado, por favor.
ask-address-postal-code = ¿Y el código postal?
    .again = ¿Qué código postal es?
    .spell = Diga el código postal cifra por cifra, o márquelo en el teclado.
ask-address-what-to-correct = ¿Qué corrijo: la calle, la ciudad o el código postal?
    .again = ¿Qué parte está mal, y cómo debería ser?
    .spell = Diga, por ejemplo: es calle Mayor cincuenta.
address-part-wrong = { $part ->
        [postal_code] Ese código postal no corresponde a la dirección.
        [region] Esa provincia o estado no corresponde a la dirección.
        [city] Creo que no he entendido bien la ciudad.
       *[line1] Creo que no he entendido bien la calle.
    }
address-same = Esa es la dirección que ya tenemos, así que no hay nada que cambiar.
read-back-address = Entonces, la nueva dirección es { $address }. ¿Es correcto?
ask-new-phone = ¿Cuál es el nuevo número de teléfono?
    .again = ¿Me dice el nuevo número, cifra por cifra?
    .spell = Puede marcar el nuevo número en el teclado y terminar con la tecla almohadilla, o numeral.
phone-incomplete = Ese número de teléfono no parece completo.
phone-same = Ese es el número que ya tenemos, así que no hay nada que cambiar.
read-back-phone = Entonces, el nuevo teléfono es el { $phone }. ¿Es correcto?
done-address = Listo, su dirección ya está cambiada. Hemos enviado un aviso al contacto que teníamos.
done-phone = Listo, su teléfono ya está cambiado. Hemos enviado un aviso al número que teníamos.
already-done = Eso ya estaba hecho, así que no lo he repetido.
done-meanwhile = { $flow ->
        [update_address] El cambio de dirección se hizo antes de que se cortara la línea, así que eso ya está.
        [update_phone] El cambio de teléfono se hizo antes de que se cortara la línea, así que eso ya está.
        [callback] Lo de su llamada quedó resuelto antes de que se cortara la línea, así que eso ya está.
       *[other] Su caso ya lo tiene un compañero.
    }
done-after-all = { $flow ->
        [update_address] El cambio de dirección sí se hizo, así que eso ya está.
        [update_phone] El cambio de teléfono sí se hizo, así que eso ya está.
        [callback] Lo de su llamada sí quedó resuelto, así que eso ya está.
       *[other] Su caso sí llegó: ya lo tiene un compañero.
    }
write-failed = Lo siento, el sistema no responde, así que no puedo asegurarle que esté hecho.
write-refused = Lo siento, el sistema no lo ha aceptado. No se ha cambiado nada.

## Callbacks

ask-callback-topic = ¿Sobre qué quiere que le llamemos?
    .again = En pocas palabras, ¿de qué se trata?
    .spell = Por ejemplo, una devolución, una factura o un artículo dañado. ¿Cuál es el motivo?
ask-callback-own-number = ¿Le llamamos al número desde el que llama, el { $phone }?
    .again = ¿El { $phone } es un buen número para llamarle, sí o no?
    .spell = Diga sí para el { $phone }, o marque otro número en el teclado.
ask-callback-number = ¿A qué número le llamamos?
    .again = ¿Me dice el número de teléfono, cifra por cifra?
    .spell = Puede marcar el número en el teclado y terminar con la tecla almohadilla, o numeral.
ask-callback-time = ¿Qué día y a qué hora quiere que le llamemos?
    .again = ¿Qué día, y a qué hora? Por ejemplo, mañana a las tres.
    .spell = Dígame primero solo el día.
ask-callback-slot = Puedo ofrecerle { $slots }. ¿Cuál prefiere?
    .again = Puede decir, por ejemplo, la primera. ¿Qué hora prefiere: { $slots }?
    .spell = Diga uno para la primera hora, dos para la segunda, o nombre otro día. ¿Cuál prefiere: { $slots }?
callback-slot = { $when }
callback-time-not-free = Esa hora no está libre.
callback-time-taken = Alguien acaba de reservar esa hora.
callback-found = Tiene una llamada programada para { $when }.
callback-none-found = No encuentro ninguna llamada programada para ese número.
ask-callback-what-to-correct = ¿Qué corrijo: la hora, el número o el motivo?
    .again = ¿Qué parte está mal, y cómo debería ser?
    .spell = Diga, por ejemplo: mañana a las diez.
read-back-callback = Entonces, le llamamos { $when }, al { $phone }, y el motivo es { $topic }. ¿Es correcto?
read-back-callback-change = Entonces, paso la llamada para { $when }. ¿Es correcto?
read-back-callback-cancel = ¿Cancelo la llamada programada para { $when }?
done-book-callback = Listo, le llamaremos { $when }.
done-change-callback = Listo, su llamada queda para { $when }.
done-cancel-callback = Listo, la llamada programada para { $when } queda cancelada.

## People

ask-person = ¿Quiere hablar con un compañero?
    .again = ¿Le paso con una persona, sí o no?
    .spell = Diga sí o pulse uno para hablar con una persona, no o pulse dos para seguir conmigo.
ask-callback-instead = ¿Prefiere que le llamemos nosotros?
    .again = ¿Quiere que le llamemos más tarde, sí o no?
    .spell = Diga sí o pulse uno para que le llamemos, no o pulse dos para dejarlo.
nobody-free = Lo siento, ahora mismo no hay ningún compañero libre.
nobody-answered = Lo siento, ahora mismo no he podido localizar a ningún compañero.
no-person-then = De acuerdo.
done-transfer = Le paso ahora con un compañero. Ya sabe de qué hemos hablado.
lookup-failed = Lo siento, el sistema no responde en este momento.
nobody-reachable = Lo siento, ahora mismo no puedo acceder al sistema. Inténtelo de nuevo en unos minutos.
turn-failed = Lo siento, algo ha fallado por nuestra parte. Repítalo, por favor.
holding = Un momento, por favor.
    .v2 = Un momento, sigo en ello.
line-unavailable = Hola, le habla el asistente automático de { $company }. Lo siento, nuestro sistema no responde y ahora mismo no puedo ayudarle. Vuelva a llamar dentro de unos minutos. ¡Hasta luego!

## Lo que oye un compañero antes de pasarle a alguien

brief-caller = Le llama la línea de atención. Hay una persona en espera que habla { $spoken ->
        [en] inglés
        [es] español
       *[fr] francés
    }.
brief-identity = { $level ->
        [0] Todavía no sabemos quién es.
        [1] Tenemos la cuenta, pero aún no se puede cambiar nada.
       *[2] Ya ha demostrado quién es.
    }
brief-reason = { $reason ->
        [asked] Ha pedido hablar con alguien.
        [repair] No nos hemos entendido.
        [identity_locked] Ha dado demasiados datos equivocados.
        [order_problem] Algo ha ido mal con un pedido.
        [backend_down] El sistema no respondía.
       *[unknown] Tiene una pregunta que no sé contestar.
    }
brief-open = { $flow ->
        [order_status] Todavía buscamos un pedido.
        [update_address] Queda pendiente un cambio de dirección.
        [update_phone] Queda pendiente un cambio de teléfono.
       *[callback] Queda pendiente acordar una llamada.
    }
brief-take = Pulse uno para atender la llamada, o dos para dejarla.
