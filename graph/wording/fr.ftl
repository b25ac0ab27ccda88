### What the line says in French: vous, as spoken in France.
### A message's value is its plain wording. Attributes: .v2 .v3 other wordings of the same, .upset for a caller who is
### upset or angry, .again and .spell for a question asked a second and third time. Other attributes are named in code.

## Start and end of a call

greeting = Bonjour et bienvenue chez { $company }, je suis l'assistant automatique. Que puis-je faire pour vous ?
    .recorded = Bonjour et bienvenue chez { $company }, je suis l'assistant automatique. Cet appel est enregistré. Que puis-je faire pour vous ?
welcome-back = Rebonjour, vous êtes bien chez { $company }, avec l'assistant automatique. Nous avons été coupés tout à l'heure.
    .recorded = Rebonjour, vous êtes bien chez { $company }, avec l'assistant automatique. Cet appel est enregistré. Nous avons été coupés tout à l'heure.
ask-resume = { $flow ->
        [order_status] Nous cherchions une commande. Voulez-vous continuer ?
        [update_address] Nous changions une adresse. Voulez-vous continuer ?
        [update_phone] Nous changions un numéro de téléphone. Voulez-vous continuer ?
        [callback] Nous étions en train de fixer un rappel. Voulez-vous continuer ?
       *[talk_to_human] Vous vouliez parler à quelqu'un. C'est toujours le cas ?
    }
    .again = Voulez-vous reprendre là où nous en étions, oui ou non ?
    .spell = Dites oui ou tapez un pour reprendre là où nous en étions, dites non ou tapez deux pour autre chose.
dropped-open-things = Très bien, on laisse cela de côté. Rien n'a été modifié.
    .unknown = Très bien, on laisse cela de côté.
hello-again = Bonjour !
ask-how-help = En quoi puis-je vous aider ?
    .v2 = Que puis-je faire pour vous ?
    .again = Je peux suivre une commande, changer votre adresse ou votre téléphone, fixer un rappel ou répondre à une question. Que souhaitez-vous ?
    .spell = Dites-moi en quelques mots : une commande, une adresse, un téléphone, un rappel ou une question ?
ask-more = Puis-je faire autre chose pour vous ?
    .v2 = Avez-vous besoin d'autre chose ?
    .v3 = Autre chose pour aujourd'hui ?
    .upset = Y a-t-il autre chose que je puisse régler pour vous ?
    .again = Souhaitez-vous autre chose, oui ou non ?
    .spell = S'il y a autre chose, dites-le-moi. Sinon, dites non.
ask-go-ahead = Bien sûr, de quoi s'agit-il ?
    .v2 = Allez-y, je vous écoute.
    .again = Que vous faut-il d'autre ?
    .spell = Dites-moi en quelques mots ce qu'il vous faut.
ask-clarify = Excusez-moi, je n'ai pas compris. Que souhaitez-vous faire ?
    .again = Désolé, je n'ai toujours pas compris. Vous pouvez dire par exemple : où est ma commande, ou changer mon adresse.
    .spell = Désolé, je n'ai pas compris. Dites-le en quelques mots, s'il vous plaît.
ask-satisfaction = Avant de nous quitter, de un à cinq, cinq étant la meilleure note, quelle note me donnez-vous ?
    .again = Dites un chiffre de un à cinq, ou tapez-le sur votre clavier.
    .spell = Appuyez sur une touche de un à cinq, ou dites simplement au revoir.
rating-thanks = Merci beaucoup, c'est noté.
goodbye = Merci de votre appel. Au revoir !
    .v2 = Merci d'avoir appelé. Au revoir !
    .upset = Merci de votre patience. Au revoir.
left-open = { $flow ->
        [update_address] Votre adresse reste la même.
        [update_phone] Votre numéro de téléphone reste le même.
        [callback] Rien n'a été réservé ni modifié pour le rappel.
       *[other] Cela reste en l'état.
    } Vous pouvez rappeler quand vous voulez.
    .unknown = Je ne peux pas encore vous dire si le changement d'avant a été fait. Vous pouvez rappeler quand vous voulez.
silence-goodbye = Je ne vous entends pas, je vais donc raccrocher. Rappelez-nous et nous reprendrons là où nous en étions. Au revoir !

## Repair

still-there = Vous êtes toujours là ?
    .again = Allô ? Je ne vous entends pas.
back-on-the-line = Je crois que nous avons été coupés un instant.
    .v2 = La ligne a été coupée un instant.
hold-on = Bien sûr, prenez votre temps.
    .v2 = Pas de souci, rien ne presse.
    .v3 = D'accord, je patiente.
slower = Bien sûr, plus lentement.
switched-language = Bien sûr, parlons français.
sorry-misheard = Excusez-moi.
    .v2 = Pardon, c'est mon erreur.
cancelled = { $flow ->
        [order_status] D'accord, on laisse la commande.
        [update_address] D'accord, on laisse le changement d'adresse. Rien n'a été modifié.
        [update_phone] D'accord, on laisse le changement de numéro. Rien n'a été modifié.
        [callback] D'accord, on laisse le rappel. Rien n'a été réservé ni modifié.
       *[other] D'accord, on en reste là.
    }
    .unknown = D'accord, on en reste là. Je ne peux pas encore vous dire si le changement d'avant a été fait.
back-to = { $flow ->
        [order_status] Revenons à votre commande.
        [update_address] Revenons à votre adresse.
        [update_phone] Revenons à votre numéro.
        [callback] Revenons à votre rappel.
       *[other] Revenons à votre demande.
    }
you-are-welcome = Je vous en prie.
    .v2 = Avec plaisir.
sorry-for-trouble = Je suis désolé.
    .v2 = Je regrette ce désagrément.
    .upset = Je suis vraiment désolé. Je comprends votre agacement.
out-of-scope = Désolé, là-dessus, je ne peux pas vous aider. Je peux suivre vos commandes, changer une adresse ou un numéro, fixer des rappels et répondre aux questions sur le magasin.
    .v2 = Ce n'est pas quelque chose que je peux faire ici.

## Identity

ask-account = De quel compte s'agit-il ? Donnez-moi le numéro de téléphone, l'adresse e-mail ou un numéro de commande.
    .again = Pouvez-vous me donner le téléphone du compte, l'adresse e-mail ou le numéro d'une commande ?
    .spell = Vous pouvez taper le numéro de téléphone sur votre clavier, ou épeler l'adresse e-mail ou le numéro de commande.
ask-fact = Pour votre sécurité, pouvez-vous me donner le code postal du compte ou un numéro de commande ?
    .again = Il me faut un élément pour vérifier que c'est bien vous : le code postal, ou le numéro d'une de vos commandes ?
    .spell = Dites le code postal chiffre par chiffre, ou tapez-le sur votre clavier.
ask-fact-of-order = Merci. Pour votre sécurité, pouvez-vous me donner le code postal ou l'adresse e-mail du compte ?
    .again = Il me faut un autre élément pour vérifier que c'est bien vous : le code postal ou l'adresse e-mail ?
    .spell = Dites le code postal chiffre par chiffre, ou tapez-le sur votre clavier.
ask-fact-retry = Pouvez-vous répéter, ou me donner un autre téléphone ou une autre adresse e-mail du compte ?
    .again = Pouvez-vous me donner le code postal du compte, ou le numéro d'une de vos commandes ?
    .spell = Dites le code postal chiffre par chiffre, ou tapez-le sur votre clavier.
identity-no-match = Je suis désolé, ces informations ne correspondent pas à celles que j'ai.
    .v2 = Désolé, ces informations ne concordent pas.
identity-locked = Pour votre sécurité, je ne peux pas aller plus loin dans le compte pendant cet appel.
identity-lapsed = Un moment a passé, je dois donc vérifier à nouveau que c'est bien vous.
code-sent-sms = Je viens de vous envoyer un code à six chiffres par SMS, au numéro que nous avons, celui qui se termine par { $ending }.
code-sent-email = Je viens de vous envoyer un code à six chiffres par e-mail, à l'adresse que nous avons.
ask-code = Quel est le code ?
    .v2 = Pouvez-vous me donner le code ?
    .again = Pouvez-vous me lire les six chiffres, un par un ?
    .spell = Vous pouvez taper les six chiffres sur votre clavier. Si rien n'est arrivé, dites : envoyez-le par mail.
code-wrong = Ce n'est pas le code que j'ai envoyé.
code-expired = Ce code n'est plus valable.

## Knowledge

faq-answer = { $answer }
faq-unknown = Je n'ai pas la réponse, et je préfère ne rien inventer.
    .v2 = Désolé, je ne sais pas répondre à cela.
faq-unknown-later = Je n'ai pas la réponse. Je peux vous passer quelqu'un dès que nous aurons terminé.

## Orders

order-placed = Votre commande { $order }, { $items }, est bien enregistrée et sera bientôt préparée.
order-processing = Votre commande { $order }, { $items }, est en cours de préparation.
order-shipped = Votre commande { $order }, { $items }, est en route.
order-out-for-delivery = Votre commande { $order }, { $items }, est en cours de livraison aujourd'hui.
order-delivered = Votre commande { $order }, { $items }, est indiquée comme livrée.
order-delayed = Votre commande { $order }, { $items }, a pris du retard. J'en suis désolé.
order-returned = Votre commande { $order }, { $items }, nous est revenue en retour.
order-cancelled = Votre commande { $order }, { $items }, est annulée.
order-lost = Je suis désolé, votre commande { $order }, { $items }, a été perdue pendant le transport.
order-delivered-on = Elle a été livrée { $day }.
order-carrier = Le transporteur est { $carrier }.
order-tracking = Le numéro de suivi est { $tracking }.
order-expected = Elle devrait arriver { $day }.
order-expected-passed = Elle devait arriver { $day }, elle est donc en retard.
order-not-found = Je ne trouve pas cette commande parmi les vôtres.
order-none = Je ne vois aucune commande sur ce compte.
order-choice = celle avec { $items }, passée { $placed }
ask-order-which = De quelle commande parlez-vous : { $orders } ?
    .again = Donnez-moi le numéro de commande, ou dites par exemple la première. Laquelle est-ce : { $orders } ?
    .spell = Dites le numéro de commande chiffre par chiffre, ou tapez-le sur votre clavier.
order-problem-sorry = Je suis désolé, cela ne devrait pas arriver. Il faut qu'un collègue regarde cela de près.

## Account

ask-address = Quelle est la nouvelle adresse ? Commencez par le numéro et la rue, s'il vous plaît.
    .again = Pouvez-vous me donner la nouvelle adresse : le numéro et la rue, la ville et le code postal ?
    .spell = Dites le nom de la rue, et épelez-le s'il est peu courant.
ask-address-line1 = Quel numéro et quelle rue ?
    .again = Quel est le nom de la rue, et à quel numéro ?
    .spell = Épelez le nom de la rue, puis dites le numéro.
ask-address-city = Dans quelle ville ?
    .again = Quel est le nom de la ville ou du village ?
    .spell = Épelez le nom de la ville, s'il vous plaît.
ask-address-region = Dans quelle province ou quel État ?
    .again = Quel est le nom de la province ou de l'État ?
    .spell = Épelez le nom de la province ou de l'État, s'il vous plaît.
ask-address-postal-code = Et le code postal ?
    .again = Quel est le code postal là-bas ?
    .spell = Dites le code postal chiffre par chiffre, ou tapez-le sur votre clavier.
ask-address-what-to-correct = Que faut-il corriger : la rue, la ville ou le code postal ?
    .again = Qu'est-ce qui n'est pas bon, et que faut-il mettre ?
    .spell = Dites, par exemple : c'est cinquante rue des Lilas.
address-part-wrong = { $part ->
        [postal_code] Ce code postal ne correspond pas à l'adresse.
        [region] Cette province ou cet État ne correspond pas à l'adresse.
        [city] Je crois que je n'ai pas bien compris la ville.
       *[line1] Je crois que je n'ai pas bien compris la rue.
    }
address-same = C'est l'adresse que nous avons déjà, il n'y a donc rien à changer.
read-back-address = La nouvelle adresse est donc : { $address }. C'est bien ça ?
ask-new-phone = Quel est le nouveau numéro de téléphone ?
    .again = Pouvez-vous me donner le nouveau numéro, chiffre par chiffre ?
    .spell = Vous pouvez taper le nouveau numéro sur votre clavier, puis la touche dièse.
phone-incomplete = Ce numéro de téléphone n'a pas l'air complet.
phone-same = C'est le numéro que nous avons déjà, il n'y a donc rien à changer.
read-back-phone = Le nouveau numéro est donc le { $phone }. C'est bien ça ?
done-address = C'est fait, votre adresse est changée. Un message est parti au contact que nous avions.
done-phone = C'est fait, votre numéro est changé. Un message est parti au numéro que nous avions.
already-done = C'était déjà fait, je ne l'ai donc pas refait.
done-meanwhile = { $flow ->
        [update_address] Le changement d'adresse a été fait avant la coupure, c'est donc réglé.
        [update_phone] Le changement de numéro a été fait avant la coupure, c'est donc réglé.
        [callback] Le rappel a été réglé avant la coupure, c'est donc fait.
       *[other] Votre dossier est déjà entre les mains d'un collègue.
    }
done-after-all = { $flow ->
        [update_address] Le changement d'adresse a bien été fait, c'est donc réglé.
        [update_phone] Le changement de numéro a bien été fait, c'est donc réglé.
        [callback] Le rappel a bien été réglé, c'est donc fait.
       *[other] Votre dossier est bien arrivé : il est déjà entre les mains d'un collègue.
    }
write-failed = Je suis désolé, notre système ne répond pas, je ne peux donc pas vous dire que c'est fait.
write-refused = Je suis désolé, notre système ne l'a pas accepté. Rien n'a été modifié.

## Callbacks

ask-callback-topic = À quel sujet souhaitez-vous être rappelé ?
    .again = En quelques mots, de quoi s'agit-il ?
    .spell = Par exemple un retour, une facture ou un article abîmé. C'est à quel sujet ?
ask-callback-own-number = Pouvons-nous vous rappeler au numéro d'où vous appelez, le { $phone } ?
    .again = Le { $phone }, c'est un bon numéro pour vous joindre, oui ou non ?
    .spell = Dites oui pour le { $phone }, ou tapez un autre numéro sur votre clavier.
ask-callback-number = À quel numéro pouvons-nous vous rappeler ?
    .again = Pouvez-vous me donner le numéro, chiffre par chiffre ?
    .spell = Vous pouvez taper le numéro sur votre clavier, puis la touche dièse.
ask-callback-time = Quel jour et à quelle heure souhaitez-vous être rappelé ?
    .again = Quel jour, et à quelle heure ? Par exemple, demain à quinze heures.
    .spell = Dites-moi d'abord juste le jour.
ask-callback-slot = Je peux vous proposer { $slots }. Que préférez-vous ?
    .again = Vous pouvez dire, par exemple, le premier. Quel moment préférez-vous : { $slots } ?
    .spell = Dites un pour le premier moment, deux pour le deuxième, ou donnez un autre jour. Que préférez-vous : { $slots } ?
callback-slot = { $when }
callback-time-not-free = Cet horaire n'est pas libre.
callback-time-taken = Quelqu'un vient de prendre cet horaire.
callback-found = Vous avez un rappel prévu { $when }.
callback-none-found = Je ne trouve aucun rappel pour ce numéro.
ask-callback-what-to-correct = Que faut-il corriger : l'heure, le numéro ou le sujet ?
    .again = Qu'est-ce qui n'est pas bon, et que faut-il mettre ?
    .spell = Dites, par exemple : demain à dix heures.
read-back-callback = Nous vous rappellerons donc { $when }, au { $phone }, pour { $topic }. C'est bien ça ?
read-back-callback-change = Nous vous rappellerons donc plutôt { $when }. C'est bien ça ?
read-back-callback-cancel = Voulez-vous que j'annule le rappel prévu { $when } ?
done-book-callback = C'est noté, nous vous rappellerons { $when }.
done-change-callback = C'est fait, votre rappel est maintenant prévu { $when }.
done-cancel-callback = C'est fait, le rappel prévu { $when } est annulé.

## People

ask-person = Voulez-vous parler à un collègue ?
    .again = Je vous passe quelqu'un, oui ou non ?
    .spell = Dites oui ou tapez un pour parler à quelqu'un, non ou tapez deux pour continuer avec moi.
ask-callback-instead = Préférez-vous que nous vous rappelions ?
    .again = Voulez-vous être rappelé plus tard, oui ou non ?
    .spell = Dites oui ou tapez un pour être rappelé, non ou tapez deux pour en rester là.
nobody-free = Je suis désolé, aucun de mes collègues n'est libre pour le moment.
nobody-answered = Je suis désolé, je n'ai pu joindre aucun de mes collègues.
no-person-then = Très bien.
done-transfer = Je vous passe un collègue tout de suite. Il sait de quoi nous avons parlé.
lookup-failed = Je suis désolé, notre système ne répond pas en ce moment.
nobody-reachable = Je suis désolé, je n'arrive pas à joindre notre système. Réessayez dans quelques minutes, s'il vous plaît.
turn-failed = Je suis désolé, un problème est survenu de notre côté. Répétez, s'il vous plaît.
holding = Un instant, s'il vous plaît.
    .v2 = Encore un instant, je m'en occupe.
line-unavailable = Bonjour, vous êtes en communication avec l'assistant automatique de { $company }. Je suis désolé, notre système ne répond pas et je ne peux pas vous aider pour le moment. Rappelez dans quelques minutes, s'il vous plaît. Au revoir !

## Ce qu'entend un collègue avant qu'on lui passe quelqu'un

brief-caller = Ici la ligne d'assistance. Une personne attend, elle parle { $spoken ->
        [en] anglais
        [es] espagnol
       *[fr] français
    }.
brief-identity = { $level ->
        [0] Nous ne savons pas encore qui c'est.
        [1] Le compte est trouvé, mais rien ne peut encore être changé.
       *[2] Elle a prouvé son identité.
    }
brief-reason = { $reason ->
        [asked] Elle a demandé à parler à quelqu'un.
        [repair] Nous ne nous sommes pas compris.
        [identity_locked] Elle a donné trop de renseignements inexacts.
        [order_problem] Il y a un problème avec une commande.
        [backend_down] Notre système ne répondait pas.
       *[unknown] Elle a une question à laquelle je ne sais pas répondre.
    }
brief-open = { $flow ->
        [order_status] Une commande est encore recherchée.
        [update_address] Un changement d'adresse est en cours.
        [update_phone] Un changement de numéro est en cours.
       *[callback] Un rappel est en train d'être convenu.
    }
brief-take = Tapez un pour prendre l'appel, ou deux pour le laisser.
